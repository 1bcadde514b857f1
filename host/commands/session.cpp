// Session: see the header.
#include "commands/session.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "process/files.hpp"
#include "process/tracing_runner.hpp"

namespace davit {

Session::Session(Surroundings surroundings, SessionParts parts)
    : context{.actor = {},
              .app = {},
              .deployment = {},
              .deadline_mono_ms = 0,
              .quiet = false,
              .force = false,
              .trace = false,
              .tty = false,
              .out = parts.out},
      where_(std::move(surroundings)),
      parts_(std::move(parts)) {}

Session::~Session() = default;

const CallContext& Session::acting() {
  if (context.actor.empty()) context.actor = parts_.actor();
  return context;
}

Result<Store*> Session::reading() {
  if (writing_) return &*writing_;
  if (!reading_) {
    DAVIT_TRY_ASSIGN(reading_, Store::open(where_.home.database(), StoreMode::kRead, parts_.clock));
  }
  return &*reading_;
}

Result<Store*> Session::writing() {
  if (!writing_) {
    DAVIT_TRY_ASSIGN(writing_, Store::open(where_.home.database(), StoreMode::kWrite, parts_.clock));
  }
  return &*writing_;
}

Result<const PluginCatalog*> Session::catalog() {
  if (!catalog_) {
    if (where_.home_problem) {
      catalog_ = PluginCatalog::installed(where_.installation);
    } else {
      DAVIT_TRY_ASSIGN(catalog_, PluginCatalog::read(where_.home, where_.installation, where_.catalog));
    }
  }
  return &*catalog_;
}

CommandGroups Session::plugin_groups() {
  if (!catalog_ && !where_.home_problem) {
    if (auto known = PluginCatalog::known_groups(where_.home, where_.installation, where_.catalog))
      return std::move(*known);
  }
  const auto all = catalog();
  return all ? (*all)->groups() : CommandGroups();
}

Deployer& Session::deployer() {
  if (!deployer_) deployer_ = parts_.deployer(*this);
  return *deployer_;
}

WorkerClient& Session::worker() {
  if (!worker_) worker_ = parts_.worker(*this);
  return *worker_;
}

ProcessRunner& Session::processes() {
  if (!processes_) processes_ = traced(parts_.processes(), context);
  return *processes_;
}

Result<App> Session::app(const Arguments& args) {
  DAVIT_TRY_ASSIGN(Store * store, reading());
  DAVIT_TRY_ASSIGN(App app, store->apps().get(args.app));
  context.app = app.name;
  return app;
}

Result<App> Session::deployed_app(const Arguments& args) {
  DAVIT_TRY_ASSIGN(App found, app(args));
  if (!found.deployed) return fail(not_deployed(found));
  return found;
}

Error Session::not_deployed(const App& app) {
  Error error{Code::kInvalid,
              fmt::format("App {} has not been deployed", app.name),
              "Push it first: git push",
              "not-deployed",
              {}};
  const auto store = reading();
  if (!store) return error;
  const auto last = (*store)->journal().history(app.id, 1);
  if (!last || last->empty()) return error;
  error.hint = is_finished(last->front().state)
                   ? fmt::format("Its last deployment failed: davit logs:failed {}", app.name)
                   : fmt::format("Its first deployment goes on: davit deploys:output {}", app.name);
  return error;
}

Result<int> Session::work(const std::vector<std::string>& operation) {
  parts_.flush();
  DAVIT_TRY_ASSIGN(const auto outcome, worker().run(operation, false, acting()));
  return outcome.exit_code;
}

Result<std::string> Session::work_captured(const std::vector<std::string>& operation) {
  parts_.flush();
  DAVIT_TRY_ASSIGN(auto outcome, worker().run(operation, true, acting()));
  if (outcome.exit_code != 0) {
    return fail(Code::kUnavailable, fmt::format("`{}` failed in the worker", operation.front()),
                "See the lines above, or run `davit doctor`");
  }
  return std::move(outcome.out);
}

void Session::quiet_step(std::string_view line) {
  if (!context.quiet) parts_.out.step(line);
}

Result<bool> Session::has_subscriber(std::string_view event) {
  DAVIT_TRY_ASSIGN(const PluginCatalog* plugins, catalog());
  return !plugins->subscribers(event).empty();
}

Result<> Session::publish(std::string_view event, const std::string& payload_json) {
  DAVIT_TRY_ASSIGN(const bool wanted, has_subscriber(event));
  if (!wanted) return {};
  DAVIT_TRY_ASSIGN(const int code, work({"publish", std::string(event), payload_json}));
  if (code == 0) return {};
  return fail(Code::kDenied, fmt::format("A plugin refused it ({})", event), {}, "vetoed");
}

Result<> Session::publish_secret(std::string_view event, const std::string& payload_json) {
  DAVIT_TRY_ASSIGN(const bool wanted, has_subscriber(event));
  if (!wanted) return {};
  const auto file = where_.home.run() / fmt::format("publish-{}.json", ::getpid());
  DAVIT_TRY(write_file_volatile(file, payload_json, 0600));
  auto told = publish(event, "@" + file.string());
  DAVIT_TRY(remove_tree(file));
  return told;
}

}  // namespace davit
