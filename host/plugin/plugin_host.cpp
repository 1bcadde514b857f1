// The enabled plugins at work: capabilities, hooks, commands.
#include "plugin/plugin_host.hpp"

#include <davit/builder.h>
#include <davit/commands.h>
#include <davit/hooks.h>
#include <davit/proxy.h>
#include <davit/runtime.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "base/text.hpp"
#include "plugin/adapters.hpp"
#include "plugin/hook_adapter.hpp"

namespace davit {
namespace {

/// For stop(): nobody watches any more.
class NoOutput final : public UserOutput {
 public:
  void result(std::string_view) override {}
  void header(std::string_view) override {}
  void step(std::string_view) override {}
  void detail(std::string_view) override {}
  void warning(std::string_view) override {}
  void progress(std::string_view, std::uint64_t, std::uint64_t, std::string_view) override {}
};

}  // namespace

struct PluginHost::Parts {
  HostCore core;
  std::map<std::string, std::unique_ptr<PluginInstance>, std::less<>> instances;  // of the usable plugins
  std::map<std::string, std::unique_ptr<BuilderAdapter>, std::less<>> builders;
  std::map<std::string, std::unique_ptr<RuntimeAdapter>, std::less<>> runtimes;
  std::map<std::string, std::unique_ptr<ProxyAdapter>, std::less<>> proxies;
  std::map<std::string, std::unique_ptr<DoctorAdapter>, std::less<>> doctors;
  std::map<std::string, std::unique_ptr<ServiceAdapter>, std::less<>> services;
  std::map<std::string, std::unique_ptr<CommandsAdapter>, std::less<>> commands;

  Parts(PluginCatalog catalog, PluginServices services)
      : core{std::move(catalog), std::move(services), nullptr, nullptr, {}, 0} {}

  PluginInstance& instance(const CatalogEntry& entry) { return *instances.find(entry.id)->second; }
  template <typename Adapter, typename... Args>
  Adapter* adapter(std::map<std::string, std::unique_ptr<Adapter>, std::less<>>& adapters,
                   const CatalogEntry& entry, Args... args) {
    auto& slot = adapters[entry.id];
    if (!slot) slot = std::make_unique<Adapter>(instance(entry), args...);
    return slot.get();
  }
  /// The named provider, or why there is none.
  Result<const CatalogEntry*> provider(std::string_view interface_id, std::string_view id,
                                       std::string_view word) const {
    const auto providers = core.catalog.providers(interface_id);
    std::vector<std::string> ids;
    for (const CatalogEntry* entry : providers) {
      if (entry->id == id) return entry;
      ids.push_back(entry->id);
    }
    const std::string enabled = ids.empty() ? "none is" : "enabled: " + join(ids, ", ");
    if (id.empty())
      return fail(Code::kNotFound, fmt::format("No {} is enabled", word),
                  "See `davit plugin:list` and `davit plugin:enable`", "plugin-not-enabled");
    const CatalogEntry* entry = core.catalog.find(id);
    if (entry != nullptr && entry->problem) return fail(*entry->problem);
    return fail(Code::kNotFound, fmt::format("{} is not an enabled {} ({})", id, word, enabled),
                fmt::format("Enable it: `davit plugin:enable {}`, or choose another", id),
                "plugin-not-enabled");
  }
};

PluginHost::PluginHost(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {
  parts_->core.capabilities = this;
  for (const CatalogEntry* entry : parts_->core.catalog.usable())
    parts_->instances.emplace(entry->id, std::make_unique<PluginInstance>(*entry, parts_->core));
}

PluginHost::~PluginHost() {
  stop_all();
}

Result<std::unique_ptr<PluginHost>> PluginHost::open(PluginCatalog catalog, PluginServices services,
                                                     PluginHostOptions options) {
  if (const CatalogEntry* broken = catalog.first_problem(); broken != nullptr && !options.tolerate_problems) {
    Error error = *broken->problem;
    if (error.hint.empty()) error.hint = fmt::format("Or disable it: `davit plugin:disable {}`", broken->id);
    return fail(std::move(error));
  }
  auto parts = std::make_unique<Parts>(std::move(catalog), std::move(services));
  struct stat home {};
  parts->core.owner = ::stat(parts->core.services.home.root.c_str(), &home) == 0 ? home.st_uid : ::geteuid();
  return std::unique_ptr<PluginHost>(new PluginHost(std::move(parts)));
}

void PluginHost::subscribe_hooks(EventBus& bus) {
  HostCore& core = parts_->core;
  core.bus = &bus;
  for (const CatalogEntry* entry : core.catalog.usable())
    for (const HookSpec& hook : entry->note.hooks)
      bus.subscribe(hook.event, std::make_unique<HookAdapter>(parts_->instance(*entry), kind_of(hook.event),
                                                              hook.order, core.hook_limit_ms()));
}

Result<std::vector<Builder*>> PluginHost::builders() {
  std::vector<Builder*> builders;
  for (const CatalogEntry* entry : parts_->core.catalog.providers(DAVIT_BUILDER_ID))
    builders.push_back(parts_->adapter(parts_->builders, *entry));
  return builders;
}

Result<Builder*> PluginHost::builder(std::string_view id) {
  DAVIT_TRY_ASSIGN(const CatalogEntry* entry, parts_->provider(DAVIT_BUILDER_ID, id, "builder"));
  return parts_->adapter(parts_->builders, *entry);
}

Result<Runtime*> PluginHost::runtime(std::string_view id) {
  const std::string wanted = id.empty() ? parts_->core.catalog.default_runtime() : std::string(id);
  DAVIT_TRY_ASSIGN(const CatalogEntry* entry, parts_->provider(DAVIT_RUNTIME_ID, wanted, "runtime"));
  return parts_->adapter(parts_->runtimes, *entry);
}

Result<Proxy*> PluginHost::proxy() {
  const auto proxies = parts_->core.catalog.providers(DAVIT_PROXY_ID);
  const std::string& chosen = parts_->core.catalog.host().proxy;
  if (chosen.empty() && proxies.empty()) return nullptr;
  const std::string wanted = chosen.empty() ? proxies.front()->id : chosen;
  DAVIT_TRY_ASSIGN(const CatalogEntry* entry, parts_->provider(DAVIT_PROXY_ID, wanted, "proxy"));
  return parts_->adapter(parts_->proxies, *entry, parts_->core.hook_limit_ms());
}

Result<std::vector<Doctor*>> PluginHost::doctors() {
  std::vector<Doctor*> doctors;
  for (const CatalogEntry* entry : parts_->core.catalog.providers(DAVIT_DOCTOR_ID))
    doctors.push_back(parts_->adapter(parts_->doctors, *entry, parts_->core.hook_limit_ms()));
  return doctors;
}

Result<ServiceKind*> PluginHost::service_kind(std::string_view id) {
  DAVIT_TRY_ASSIGN(const CatalogEntry* entry, parts_->provider(DAVIT_SERVICE_ID, id, "kind of service"));
  return parts_->adapter(parts_->services, *entry, parts_->core.hook_limit_ms());
}

Result<int> PluginHost::run_command(const PluginCommandCall& command, const CallContext& context) {
  const auto found = parts_->core.catalog.command(command.name);
  if (!found)
    return fail(Code::kNotFound, fmt::format("`{}` is not a davit command.", command.name),
                "See `davit help` for a list of commands", "command-not-found");
  DAVIT_TRY_ASSIGN(const PluginCommandCall parsed, parse_command(*found->spec, command));
  return parts_->adapter(parts_->commands, *found->plugin)->run(parsed, context);
}

const PluginCatalog& PluginHost::catalog() const {
  return parts_->core.catalog;
}

std::vector<std::string> PluginHost::loaded() const {
  std::vector<std::string> ids;
  for (const PluginInstance* instance : parts_->core.started) ids.push_back(instance->id());
  return ids;
}

void PluginHost::stop_all() {
  NoOutput nowhere;
  const CallContext context{.actor = "system", .app = {}, .deployment = {}, .out = nowhere};
  auto& started = parts_->core.started;
  while (!started.empty()) {
    PluginInstance* last = started.back();
    started.pop_back();
    last->stop(context);
  }
}

}  // namespace davit
