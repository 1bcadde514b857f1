// See machine.hpp.
#include "machine.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>

#include "trees.hpp"

namespace davit::process_plugin {
namespace {

bool is_symlink(const char* path) {
  struct stat facts {};
  return lstat(path, &facts) == 0 && S_ISLNK(facts.st_mode);
}

std::string first_line(std::string text) {
  text.resize(std::min(text.find('\n'), text.size()));
  return text;
}

}  // namespace

Machine::Machine(const sdk::Host& host, const Config& config, const Records& records)
    : host_(host), config_(config), records_(records), owner_is_root_(geteuid() == 0) {
  system_.bwrap = config.bwrap;
  system_.libexec = config.libexec;
  system_.etc = records.etc_folder();
  system_.merged_usr = is_symlink("/bin");
  system_.extra = config.show;
}

std::string Machine::fingerprint() const {
  std::string boot = read_file("/proc/sys/kernel/random/boot_id").value_or("");
  boot = first_line(std::move(boot));
  const char* wish = config_.isolation == IsolationWish::kAuto         ? "auto"
                     : config_.isolation == IsolationWish::kBubblewrap ? "bubblewrap"
                                                                       : "none";
  return boot + " " + wish + " " + config_.bwrap + " " + std::to_string(geteuid());
}

/// verdict: fingerprint, "uid gid drop sandboxed", reason; one a line.
std::optional<Verdict> Machine::remembered() const {
  const std::optional<std::string> text = read_file(records_.run() + "/verdict");
  const std::string head = fingerprint() + "\n";
  if (!text || !text->starts_with(head)) return std::nullopt;
  const std::string rest = text->substr(head.size());
  Verdict verdict;
  unsigned drop = 0;
  unsigned sandboxed = 0;
  const int found = std::sscanf(rest.c_str(), "%u %u %u %u", &verdict.app_user.uid, &verdict.app_user.gid,
                                &drop, &sandboxed);
  if (found != 4) return std::nullopt;
  verdict.app_user.drop = drop == 1;
  verdict.sandboxed = sandboxed == 1;
  const std::size_t line = rest.find('\n');
  if (line != std::string::npos) verdict.reason = first_line(rest.substr(line + 1));
  return verdict;
}

const Verdict& Machine::verdict(const sdk::Call& call) {
  if (verdict_) return *verdict_;
  const std::optional<Verdict> known = remembered();
  if (!known) return examine(call);
  if (owner_is_root_) {  // [host] app_user may be another one now
    const RunUser user = find_app_user(call);
    if (user.uid != known->app_user.uid || user.gid != known->app_user.gid) return examine(call);
  }
  verdict_ = known;
  return *verdict_;
}

const Verdict& Machine::examine(const sdk::Call& call) {
  const Verdict found = try_out(call);
  if (!found.sandboxed && config_.isolation == IsolationWish::kBubblewrap) {
    throw sdk::Failure(DAVIT_UNAVAILABLE, "no-sandbox", "bubblewrap does not work here: " + found.reason,
                       "allow namespaces, or set isolation = \"none\" under [plugins.process.settings]");
  }
  const auto number = [](std::uint32_t value) { return std::to_string(value); };
  write_file(records_.run() + "/verdict", fingerprint() + "\n" + number(found.app_user.uid) + " " +
                                              number(found.app_user.gid) + " " +
                                              number(found.app_user.drop ? 1 : 0) + " " +
                                              number(found.sandboxed ? 1 : 0) + "\n" + found.reason + "\n");
  verdict_ = found;
  return *verdict_;
}

Verdict Machine::try_out(const sdk::Call& call) const {
  Verdict found;
  found.app_user = find_app_user(call);
  write_etc(found.app_user, records_.etc_folder());
  if (config_.isolation == IsolationWish::kNone) {
    found.reason = "the setting isolation is none";
    return found;
  }
  found.reason = try_sandbox(call, found.app_user);
  found.sandboxed = found.reason.empty();
  return found;
}

RunUser Machine::find_app_user(const sdk::Call& call) const {
  if (!owner_is_root_) return RunUser{geteuid(), getegid(), false};
  sdk::Process id;
  id.argv = {
      "/usr/bin/id"};  // not a program of ours: the app user may have no way to where davit is installed
  id.user = "app";
  const sdk::ProcessResult result = host_.processes(call).capture(id);
  RunUser user{0, 0, true};
  // "uid=61234(app) gid=61234(app) groups=..."; the names are missing for a uid without an account
  const std::size_t group = result.out.find(" gid=");
  const bool read = group != std::string::npos && std::sscanf(result.out.c_str(), "uid=%u", &user.uid) == 1 &&
                    std::sscanf(result.out.c_str() + group, " gid=%u", &user.gid) == 1;
  if (result.exit_code != 0 || !read) {
    throw sdk::Failure(DAVIT_UNAVAILABLE, "app-user", "cannot become the app user: " + first_line(result.err),
                       "check app_user under [host] in plugins.toml");
  }
  if (user.uid == 0) {
    throw sdk::Failure(DAVIT_DENIED, "app-user", "the app user is root: apps would own this machine",
                       "choose another app_user under [host] in plugins.toml");
  }
  return user;
}

/// Empty: it works. The whole way that an instance takes, with davit-sandbox telling who it is inside.
std::string Machine::try_sandbox(const sdk::Call& call, const RunUser& user) const {
  if (access(config_.bwrap.c_str(), X_OK) != 0) return config_.bwrap + " is not installed";
  SandboxSpec spec;
  spec.user = user;
  spec.argv = {"/run/davit/davit-sandbox", "ids"};
  sdk::Process process;
  process.argv = {helper(), "task", "--sandboxed", "--"};
  for (std::string& word : sandbox_argv(system_, spec)) process.argv.push_back(std::move(word));
  process.env = {{"PATH", "/usr/bin:/bin"}};
  process.timeout_ms = 20'000;
  const sdk::ProcessResult result = host_.processes(call).capture(process);
  const std::string expected = std::to_string(user.uid) + " " + std::to_string(user.gid) + "\n";
  if (result.exit_code == 0 && result.out == expected) return {};
  return "exit code " + std::to_string(result.exit_code) + ": " + first_line(result.err);
}

std::string Machine::accounts(const RunUser& user) const {
  if (!verdict_ || user.uid == verdict_->app_user.uid) return records_.etc_folder();
  const std::string folder = records_.etc_folder() + "/" + std::to_string(user.uid);
  make_folder(folder, 0755);
  write_etc(user, folder);
  return folder;
}

/// Only what differs: most of the time all is there.
void Machine::write_etc(const RunUser& user, const std::string& folder) const {
  const std::string uid = std::to_string(user.uid);
  const std::string gid = std::to_string(user.gid);
  const auto have = [&folder](const std::string& name, const std::string& text) {
    if (read_file(folder + name) != text) write_file(folder + name, text);
  };
  have("/passwd",
       "root:x:0:0:root:/root:/usr/sbin/nologin\n"
       "app:x:" +
           uid + ":" + gid +
           ":app:/app:/bin/bash\n"
           "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
  have("/group", "root:x:0:\napp:x:" + gid + ":\nnogroup:x:65534:\n");
  have("/sources.list", "");
}

RunUser Machine::user(const sdk::Call& call, const std::string& name) {
  const RunUser app = verdict(call).app_user;
  if (name.empty() || name == "app") return app;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool numeric = error == std::errc{} && end == name.data() + name.size();
  if (numeric && number != 0 && owner_is_root_) return RunUser{number, number, true};
  const passwd* account = numeric ? getpwuid(number) : getpwnam(name.c_str());
  if (account == nullptr) {
    throw sdk::Failure(DAVIT_NOT_FOUND, "no-such-user", "this machine has no account " + name, "create it");
  }
  if (account->pw_uid == 0) {
    throw sdk::Failure(DAVIT_DENIED, "root-refused", "the process runtime runs nothing as root",
                       "run it as the app user, or on a runtime with containers");
  }
  if (!owner_is_root_ && account->pw_uid != geteuid()) {
    throw sdk::Failure(DAVIT_DENIED, "user-refused", "davit is not root and cannot become " + name,
                       "leave the user empty");
  }
  return RunUser{account->pw_uid, account->pw_gid, owner_is_root_};
}

}  // namespace davit::process_plugin
