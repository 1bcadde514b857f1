// See records.hpp.
#include "records.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "davit/failure.hpp"
#include "files/files.hpp"

namespace davit::docker_plugin {

Records::Records(const Config& config) : config_(config) {
  files::make_dirs(config.state + "/groups");
  files::make_dirs(config.run + "/stopped");
  files::make_dirs(config.run + "/halted");
  files::make_dirs(config.run + "/execs");
}

std::string Records::group_file(const InstanceName& group) const {
  return config_.state + "/groups/" + owner_word(group.owner_kind) + "." + group.group();
}

void Records::keep_group(const InstanceName& group) const {
  if (!has_group(group)) files::write_file(group_file(group), "");
}

void Records::forget_group(const InstanceName& group) const {
  files::remove_file(group_file(group));
}

bool Records::has_group(const InstanceName& group) const {
  return access(group_file(group).c_str(), F_OK) == 0;
}

std::vector<InstanceName> Records::groups() const {
  std::vector<InstanceName> groups;
  for (const std::string& file : files::names_in(config_.state + "/groups")) {
    const std::size_t dot = file.find('.');
    if (dot == std::string::npos) continue;
    auto name = parse_instance(file.substr(dot + 1) + ".1");
    if (!name) continue;
    name->number = 0;
    name->owner_kind = file.starts_with("service.") ? DAVIT_OWNER_SERVICE : DAVIT_OWNER_APP;
    groups.push_back(std::move(*name));
  }
  return groups;
}

void Records::set_stopped(const std::string& container_id, const std::string& policy) const {
  files::write_file(config_.run + "/stopped/" + container_id, policy);
}

std::string Records::policy_of(const std::string& container_id) const {
  return files::read_file(config_.run + "/stopped/" + container_id).value_or("");
}

void Records::clear_stopped(const std::string& container_id) const {
  files::remove_file(config_.run + "/stopped/" + container_id);
  files::remove_file(config_.run + "/halted/" + container_id);
}

bool Records::is_stopped(const std::string& container_id) const {
  return access((config_.run + "/stopped/" + container_id).c_str(), F_OK) == 0;
}

void Records::set_halted(const std::string& container_id, const std::string& policy) const {
  files::write_file(config_.run + "/halted/" + container_id, "");
  set_stopped(container_id, policy);
}

bool Records::is_halted(const std::string& container_id) const {
  return access((config_.run + "/halted/" + container_id).c_str(), F_OK) == 0;
}

void Records::keep_exec(const Exec& exec) const {
  files::write_file(config_.run + "/execs/" + exec.id, exec.container + "\n" + exec.runner);
}

void Records::forget_exec(const std::string& id) const {
  files::remove_file(config_.run + "/execs/" + id);
}

std::vector<Records::Exec> Records::execs() const {
  std::vector<Exec> execs;
  for (const std::string& id : files::names_in(config_.run + "/execs")) {
    const std::string text = files::read_file(config_.run + "/execs/" + id).value_or("");
    const std::size_t line_end = text.find('\n');
    // Just forgotten by its own process, or only begun to be written.
    if (line_end == std::string::npos) continue;
    execs.push_back({id, text.substr(0, line_end), text.substr(line_end + 1)});
  }
  return execs;
}

std::string Records::init_folder() const {
  if (!init_folder_.empty()) return init_folder_;
  const auto program = files::read_file(config_.libexec + "/davit-init");
  if (!program)
    throw sdk::Failure(DAVIT_UNAVAILABLE, "no-init", config_.libexec + "/davit-init is missing",
                       "install davit again");
  const std::string folder = config_.state + "/init/" + short_hash(*program);
  if (access((folder + "/davit-init").c_str(), X_OK) != 0) {
    files::make_dirs(folder);
    chmod(folder.c_str(), 0755);
    // Its mode before its name: what is found under the name can be run.
    files::write_file(folder + "/made", *program);
    chmod((folder + "/made").c_str(), 0755);
    if (rename((folder + "/made").c_str(), (folder + "/davit-init").c_str()) != 0)
      throw sdk::Failure(DAVIT_UNAVAILABLE, "no-init", "cannot write " + folder + "/davit-init",
                         "see disk space");
  }
  init_folder_ = folder;
  return folder;
}

}  // namespace davit::docker_plugin
