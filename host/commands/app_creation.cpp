// Making an app: see the header.
#include "commands/app_creation.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <functional>

#include "base/ids.hpp"
#include "cli/json.hpp"
#include "git/git_command.hpp"
#include "git/repository.hpp"
#include "git/source_rules.hpp"
#include "process/files.hpp"

namespace davit {

namespace {

namespace fs = std::filesystem;

/// Row and repository, then `fill`; when anything fails, nothing of it is left.
Result<App> make_app(Session& session, const std::string& name,
                     const std::function<Result<>(const App&)>& fill) {
  DAVIT_TRY(check_app_name(name));
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  DAVIT_TRY_ASSIGN(App app, store->apps().create(name));
  session.context.app = name;
  const auto finish = [&]() -> Result<> {
    DAVIT_TRY(create_repository(session.home(), session.where().installation, session.processes(), name,
                                SourceRules(*store, app.id).max_push_bytes()));
    return fill(app);
  };
  if (auto done = finish(); !done) {
    for (const auto& undone : {store->apps().destroy(app.id), remove_tree(session.home().repo(name)),
                               remove_tree(session.home().slugs(name))}) {
      if (!undone) session.out().warning(undone.error().text());
    }
    return fail(std::move(done).error());
  }
  return app;
}

Result<> copy_branches(Session& session, const std::string& from, const std::string& to) {
  const GitCommand git(session.processes(), session.home().repo(to).string());
  DAVIT_TRY(git.run({"fetch", "-q", "--no-write-fetch-head", session.home().repo(from).string(),
                     "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"}));
  return {};
}

/// The live release of `source` as the first of the other, with a slug of its own.
Result<> copy_release(Session& session, Store& store, const App& source, const App& made) {
  DAVIT_TRY_ASSIGN(const auto live, store.releases().current(source.id));
  if (!live) return {};
  ReleaseSpec spec = live->spec;
  if (spec.artifact.kind == ArtifactKind::kSlug) {
    const Home& home = session.home();
    const fs::path from = home.root / spec.artifact.ref;
    const fs::path to = home.slugs(made.name) / from.filename();
    DAVIT_TRY(make_dirs(to.parent_path(), 0700));
    std::error_code error;
    fs::create_hard_link(from, to, error);
    if (error) return fail(system_error("link " + from.string(), error.value()));
    spec.artifact.ref = to.lexically_relative(home.root).string();
  }
  spec.description = fmt::format("Clone of {} v{}", source.name, live->version);
  spec.actor = session.acting().actor;
  spec.domains.clear();
  DAVIT_TRY(store.releases().create(made.id, spec));
  return {};
}

}  // namespace

Result<App> create_app(Session& session, const std::string& name) {
  return make_app(session, name, [&](const App&) {
    return session.publish("app.create", JsonObject().text("app", name).str());
  });
}

Result<App> clone_app(Session& session, const App& source, const std::string& name) {
  return make_app(session, name, [&](const App& made) -> Result<> {
    DAVIT_TRY_ASSIGN(Store * store, session.writing());
    DAVIT_TRY(copy_branches(session, source.name, name));
    DAVIT_TRY(store->transaction([&]() -> Result<> {
      DAVIT_TRY(store->apps().copy_settings(source.id, made.id));
      return copy_release(session, *store, source, made);
    }));
    DAVIT_TRY(session.publish("app.create", JsonObject().text("app", name).str()));
    return session.publish("app.copy", JsonObject().text("app", name).text("source_app", source.name).str());
  });
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
