// See build_cache.hpp. The words of a step's own output look like the builder's if they want to: so what is
// written down must be an image without a name that was made while the build ran.
#include "build_cache.hpp"

#include "engine/labels.hpp"
#include "engine/times.hpp"

namespace davit::dockerfile {
namespace {

constexpr const char* kPrefix = "step/";  // keys of the plugin's rows; the value is the app

bool is_short_id(const std::string& text) {
  return text.size() == 12 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// The first word behind `head`; empty if the text does not begin so.
std::string word_after(const std::string& text, std::string_view head) {
  if (!text.starts_with(head)) return {};
  return text.substr(head.size(), text.find_first_of(" \r\n", head.size()) - head.size());
}

/// Neither a name nor a label of ours: a finished image has both.
bool is_nameless(const docker::Json& image) {
  const bool has_name =
      image.contains("RepoTags") && image["RepoTags"].is_array() && !image["RepoTags"].empty();
  const docker::Json& labels = docker::object_in(docker::object_in(image, "Config"), "Labels");
  return !has_name && !labels.contains(docker::kLabelOwner);
}

}  // namespace

void BuildSteps::read(const std::string& text) {
  if (word_after(text, "Removing intermediate container ") == container_) container_.clear();
  if (!container_.empty()) return;  // a step's own words
  if (text.starts_with("Step ")) {
    const std::size_t colon = text.find(" : ");
    begins_stage_ = colon != std::string::npos && text.substr(colon + 3, 5) == "FROM ";
    cached_ = false;
    if (begins_stage_ && !top_.empty()) ends_.insert(top_);
    if (begins_stage_) top_.clear();
    return;
  }
  if (const std::string id = word_after(text, " ---> Running in "); is_short_id(id)) {
    container_ = id;
    return;
  }
  if (text.starts_with(" ---> Using cache")) cached_ = true;
  const std::string id = word_after(text, " ---> ");
  if (!is_short_id(id)) return;
  named_.insert(id);
  if (!begins_stage_) top_ = cached_ ? "" : id;
}

std::set<std::string> BuildSteps::tops() const {
  std::set<std::string> all = ends_;
  if (!top_.empty()) all.insert(top_);
  return all;
}

bool BuildCache::is_made_since(const std::string& id, std::int64_t since_unix_ms) const {
  docker::Json image;
  if (!engine_.find("/images/" + id + "/json", {}, image, docker::steady())) return false;
  return is_nameless(image) &&
         docker::is_made_since(docker::unix_ms_of(docker::text_in(image, "Created")), since_unix_ms);
}

bool BuildCache::remove(const std::string& id) const {
  docker::Json image;
  if (!engine_.find("/images/" + id + "/json", {}, image, docker::steady()) || !is_nameless(image))
    return true;
  try {
    engine_.remove("/images/" + id, {}, docker::steady());
    return true;
  } catch (const docker::EngineFailure& failure) {
    if (failure.http_status() == 404) return true;
    // Something stands on it now, which has a label, or is written down itself; or a container uses it.
    if (failure.http_status() == 409) return failure.words().find("dependent child") != std::string::npos;
    call_.log_warn(failure.message());
    return false;
  }
}

void BuildCache::settle(const std::string& app, const BuildSteps& steps, bool succeeded,
                        std::int64_t since_unix_ms) const {
  const sdk::Kv kv = host_.kv(call_);
  for (const std::string& id : steps.tops()) {
    if (is_made_since(id, since_unix_ms)) kv.set("", kPrefix + id, app);
  }
  if (!succeeded) return;
  for (const auto& [key, owner] : kv.all("", kPrefix)) {
    const std::string id = key.substr(std::string_view(kPrefix).size());
    if (owner == app && !steps.named().contains(id) && remove(id)) kv.erase("", key);
  }
}

void BuildCache::collect(const sdk::CollectEvent& event) const {
  std::set<std::string> busy;
  for (const auto& [key, who] : event.needed.all()) {
    if (key.starts_with("busy/")) busy.insert(key.substr(5));
  }
  const sdk::Kv kv = host_.kv(call_);
  for (const auto& [key, app] : kv.all("", kPrefix)) {
    const std::string id = key.substr(std::string_view(kPrefix).size());
    docker::Json image;
    if (busy.contains(app)) continue;
    const bool there = engine_.find("/images/" + id + "/json", {}, image, docker::steady());
    const std::int64_t made_unix_ms = docker::unix_ms_of(docker::text_in(image, "Created"));
    if (there && docker::is_made_since(made_unix_ms, event.listed_unix_ms)) continue;
    if (!event.dry_run && !remove(id)) continue;
    if (!event.dry_run) kv.erase("", key);
    if (there)
      event.garbage.set("dockerfile/step " + id, std::to_string(docker::number_in(image, "Size")) +
                                                     " a step of a build of " + app +
                                                     " that no image stands on");
  }
}

}  // namespace davit::dockerfile
