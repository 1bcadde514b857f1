// The composition of the worker process.
#include "worker/workshop.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "git/git_source_store.hpp"
#include "lifecycle/processes.hpp"
#include "lifecycle/routes.hpp"
#include "plugin/app_user.hpp"
#include "process/files.hpp"
#include "process/tracing_runner.hpp"
#include "worker/failpoint.hpp"
#include "worker/service_relays.hpp"

namespace davit {
namespace {

constexpr std::size_t kLogFileBytes = 5 * 1024 * 1024;
constexpr std::size_t kLogFiles = 3;

std::shared_ptr<spdlog::logger> open_log(const Home& home) {
  try {
    const auto file = (home.logs() / "davit.log").string();
    auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file, kLogFileBytes, kLogFiles);
    auto logger = std::make_shared<spdlog::logger>("davit", std::move(sink));
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l [%P] %v", spdlog::pattern_time_type::utc);
    logger->flush_on(spdlog::level::info);
    return logger;
  } catch (const spdlog::spdlog_ex&) {
    return nullptr;  // a full or read-only disk must not stop a deploy for want of a log
  }
}

}  // namespace

Workshop::Workshop(WorkerSurroundings where, CallContext& context, TerminalOutput& out,
                   Breadcrumb& breadcrumb, const Clock& clock)
    : where_(std::move(where)),
      context_(context),
      out_(out),
      breadcrumb_(breadcrumb),
      clock_(clock),
      processes_(traced(make_process_runner(), context)) {}

Workshop::~Workshop() {
  if (plugins_) plugins_->stop_all();
}

Result<Store*> Workshop::store() {
  if (!store_) {
    auto opened = Store::open(home().database(), StoreMode::kWrite, clock_);
    if (!opened && only_reads_ && opened.error().slug == "store-read-only")
      opened = Store::open(home().database(), StoreMode::kRead, clock_);
    if (!opened) return fail(std::move(opened).error());
    store_ = std::move(*opened);
  }
  return &*store_;
}

Supervisor& Workshop::supervisor() {
  if (!supervisor_) {
    SupervisorSettings settings;
    settings.folder = home().supervise();
    settings.unit_program = where_.installation.libexec("davit-unit");
    settings.adopt_program = where_.installation.libexec("davit-adopt");
    supervisor_ = make_supervisor(settings);
  }
  return *supervisor_;
}

void Workshop::log(std::string_view line) {
  if (!log_) log_ = open_log(home());
  if (log_) log_->info("{}", line);
}

Result<PluginServices> Workshop::plugin_services() {
  DAVIT_TRY_ASSIGN(Store * store, this->store());
  if (!log_) log_ = open_log(home());
  PluginServices services{
      .home = home(),
      .installation = where_.installation,
      .store = *store,
      .processes = *processes_,
      .supervisor = supervisor(),
      .clock = clock_,
      .breadcrumb = breadcrumb_,
      .log = log_,
      .app_user = {},
      .runtime_of_app = [store](std::string_view app) -> Result<std::string> {
        DAVIT_TRY_ASSIGN(const App record, store->apps().get(app));
        return davit::runtime_of(*store, record.id);
      },
      .request_reroute = [this](std::string_view app) { to_reroute_.emplace(app); },
      .cancel = [this] { return to_the_end_ ? std::optional<CancelToken>() : where_.cancel; }};
  return services;
}

Result<PluginHost*> Workshop::plugins(bool tolerant) {
  if (!plugins_) {
    DAVIT_TRY_ASSIGN(PluginCatalog catalog, PluginCatalog::read(home(), where_.installation, where_.catalog));
    DAVIT_TRY_ASSIGN(PluginServices services, plugin_services());
    DAVIT_TRY_ASSIGN(services.app_user, app_user_of(catalog.host().app_user));
    DAVIT_TRY_ASSIGN(plugins_, PluginHost::open(std::move(catalog), std::move(services),
                                                {.tolerate_problems = tolerant || only_reads_}));
  }
  return plugins_.get();
}

Result<EventBus*> Workshop::bus() {
  if (!bus_) {
    DAVIT_TRY_ASSIGN(PluginHost * plugins, this->plugins());
    bus_ = std::make_unique<EventBus>();
    plugins->subscribe_hooks(*bus_);
  }
  return bus_.get();
}

Result<LifecycleServices> Workshop::lifecycle(std::function<void()> on_committed) {
  DAVIT_TRY_ASSIGN(Store * store, this->store());
  DAVIT_TRY_ASSIGN(PluginHost * plugins, this->plugins());
  DAVIT_TRY_ASSIGN(EventBus * bus, this->bus());
  if (!sources_) sources_ = make_git_source_store(home(), where_.installation, *processes_);
  if (!probe_) probe_ = make_poco_probe();
  LifecycleServices services{.store = *store,
                             .bus = *bus,
                             .capabilities = *plugins,
                             .sources = *sources_,
                             .probe = *probe_,
                             .clock = clock_,
                             .home = where_.home,
                             .on_committed = std::move(on_committed)};
  if (!where_.failpoint.empty()) services.failpoint = failpoint_of(where_.failpoint);
  services.open_socket = [this](const Service& service) { return open_socket(*this, service); };
  services.mark = [this](std::string_view deployment, std::string_view step) {
    breadcrumb_.set_deployment(deployment);
    breadcrumb_.set_step(step);
    if (step == "undo") go_to_the_end();
  };
  return services;
}

void Workshop::go_to_the_end() {
  to_the_end_ = true;
  context_.cancelled = [] { return false; };
}

Result<ServiceWorld> Workshop::services() {
  DAVIT_TRY_ASSIGN(Store * store, this->store());
  DAVIT_TRY_ASSIGN(PluginHost * plugins, this->plugins());
  if (!probe_) probe_ = make_poco_probe();
  ServiceWorld world{.store = *store,
                     .capabilities = *plugins,
                     .probe = *probe_,
                     .clock = clock_,
                     .home = where_.home,
                     .settings = plugins->catalog().host(),
                     .owner_is_root = geteuid() == 0,
                     .processes = processes_.get()};
  world.to_the_end = [this] { go_to_the_end(); };
  if (!where_.failpoint.empty()) world.failpoint = failpoint_of(where_.failpoint);
  return world;
}

Result<Workshop::Running> Workshop::running(std::string_view name) {
  DAVIT_TRY_ASSIGN(Store * store, this->store());
  DAVIT_TRY_ASSIGN(App app, store->apps().get(name));
  DAVIT_TRY_ASSIGN(auto release, store->releases().current(app.id));
  if (!release) {
    return fail(Code::kConflict, fmt::format("App {} has not been deployed", name), "Push it first",
                "not-deployed");
  }
  DAVIT_TRY_ASSIGN(PluginHost * plugins, this->plugins());
  DAVIT_TRY_ASSIGN(Runtime * runtime, plugins->runtime(release->spec.runtime));
  return Running{std::move(app), std::move(*release), runtime};
}

Result<> Workshop::reroute_requested() {
  if (to_reroute_.empty()) return {};
  DAVIT_TRY_ASSIGN(const LifecycleServices services, lifecycle());
  for (const std::string& app : std::exchange(to_reroute_, {}))
    DAVIT_TRY(reroute_app(services, app, context_));
  return {};
}

}  // namespace davit
