// See containers.hpp.
#include "containers.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <thread>

#include "container_spec.hpp"
#include "files/files.hpp"

namespace davit::docker_plugin {
namespace {

constexpr std::size_t kAtOnce = 16;

bool has_init(const Json& mounts) {
  return std::ranges::any_of(mounts,
                             [](const Json& mount) { return text_in(mount, "Destination") == kInitMount; });
}

}  // namespace

bool is_davits(Engine& engine, const Json& listed, const Patience& patience) {
  const auto mounts = [](const Json& json) { return json.value("Mounts", Json()); };
  if (!mounts(listed).empty()) return has_init(mounts(listed));
  Json facts;  // Podman lists none, whatever there are
  return engine.find("/containers/" + text_in(listed, "Id") + "/json", {}, facts, patience) &&
         has_init(mounts(facts));
}

std::vector<Found> find_instances(const Base& base, const sdk::Selector& selector, const Patience& patience) {
  std::vector<std::string> labels{std::string(kLabelHome) + "=" + base.config.home_id,
                                  std::string(kLabelKind) + "=instance"};
  if (!selector.owner.empty()) labels.push_back(std::string(kLabelOwner) + "=" + selector.owner);
  if (!selector.revision.empty()) labels.push_back(std::string(kLabelRevision) + "=" + selector.revision);
  const Json listed =
      base.engine.get("/containers/json", {{"all", "1"}, {"filters", label_filter(labels)}}, patience);
  std::vector<Found> found;
  for (const Json& container : listed) {
    Found one;
    for (const auto& [key, value] : object_in(container, "Labels").items()) {
      if (value.is_string()) one.labels[key] = value.get<std::string>();
    }
    const auto name = name_in(base.config.home_id, one.labels);
    if (!name || (!selector.owner.empty() && !matches(selector, *name))) continue;
    if (!is_davits(base.engine, container, patience)) continue;
    one.name = *name;
    one.id = text_in(container, "Id");
    one.state = text_in(container, "State");
    if (container.contains("Names") && container["Names"].is_array() && !container["Names"].empty()) {
      one.container_name = container["Names"][0].get<std::string>();
      if (one.container_name.starts_with('/')) one.container_name.erase(0, 1);
    }
    found.push_back(std::move(one));
  }
  std::ranges::sort(found, [](const Found& a, const Found& b) { return comes_before(a.name, b.name); });
  return found;
}

bool is_in_container(std::int64_t pid, const std::string& id) {
  const auto groups = files::read_file("/proc/" + std::to_string(pid) + "/cgroup");
  return pid > 0 && groups && groups->find(id) != std::string::npos;
}

std::vector<Found> heirs_of_free_names(const std::vector<Found>& containers) {
  std::map<std::string, Found> heirs;
  for (const Found& container : containers) heirs.try_emplace(container.name.live(), container);
  for (const Found& container : containers) heirs.erase(container.container_name);
  std::vector<Found> found;
  for (auto& [name, heir] : heirs) found.push_back(std::move(heir));
  return found;
}

void at_once(const Base& base, const std::vector<Found>& containers,
             const std::function<void(Engine&, const Found&)>& work) {
  std::vector<std::exception_ptr> failures(containers.size());
  const auto guarded = [&](Engine& engine, std::size_t n) {
    try {
      work(engine, containers[n]);
    } catch (...) {
      failures[n] = std::current_exception();
    }
  };
  (void)base.engine.version(steady());
  for (std::size_t begin = 0; begin < containers.size(); begin += kAtOnce) {
    const std::size_t end = std::min(begin + kAtOnce, containers.size());
    if (end - begin == 1) {
      guarded(base.engine, begin);
      continue;
    }
    std::vector<std::jthread> threads;  // waited for at their end, even where the machine gives no more
    for (std::size_t n = begin; n < end; ++n) {
      threads.emplace_back([&, n] {
        Engine own =
            base.engine;  // the version is known already; a connection is made for each request anyway
        guarded(own, n);
      });
    }
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace davit::docker_plugin
