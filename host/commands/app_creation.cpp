// Making an app: see the header.
#include "commands/app_creation.hpp"

#include <fmt/format.h>

#include "base/ids.hpp"
#include "cli/json.hpp"
#include "git/repository.hpp"
#include "process/files.hpp"

namespace davit {

Result<App> create_app(Session& session, const std::string& name) {
  DAVIT_TRY(check_app_name(name));
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  DAVIT_TRY_ASSIGN(App app, store->apps().create(name));
  session.context.app = name;
  const auto finish = [&]() -> Result<> {
    DAVIT_TRY(create_repository(session.home(), session.where().installation, session.processes(), name));
    return session.publish("app.create", JsonObject().text("app", name).str());
  };
  if (auto done = finish(); !done) {
    for (const auto& undone : {store->apps().destroy(app.id), remove_tree(session.home().repo(name))}) {
      if (!undone) session.out().warning(undone.error().text());
    }
    return fail(std::move(done).error());
  }
  return app;
}

Result<> ensure_app_for_push(Session& session, const std::string& name) {
  DAVIT_TRY(check_app_name(name));
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const bool there, store->apps().exists(name));
  if (there) return {};
  DAVIT_TRY_ASSIGN(const auto off, store->properties().get(AppId::kGlobal, "apps", "disable-autocreation"));
  DAVIT_TRY_ASSIGN(const PluginCatalog* catalog, session.catalog());
  if (off.value_or("false") == "true" || !catalog->host().create_on_push) {
    Error missing = app_not_found(name);
    missing.message += ", and a push does not make it (app auto-creation disabled)";
    missing.hint = fmt::format("Make it first: {} apps:create {}", session.where().program, name);
    return fail(std::move(missing));
  }
  session.quiet_step(fmt::format("Creating {}...", name));
  DAVIT_TRY(create_app(session, name));
  return {};
}

}  // namespace davit
