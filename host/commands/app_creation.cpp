// Making an app: see the header.
#include "commands/app_creation.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "base/ids.hpp"
#include "cli/json.hpp"
#include "commands/default_names.hpp"
#include "git/git_command.hpp"
#include "git/repository.hpp"
#include "git/source_rules.hpp"
#include "lifecycle/routes.hpp"
#include "process/file_lock.hpp"
#include "process/files.hpp"

namespace davit {

namespace {

namespace fs = std::filesystem;

Result<> check_free(Store& store, const std::string& name) {
  const auto app = store.apps().get_by_any_name(name);
  if (app) return fail(name_taken());
  if (app.error().code != Code::kNotFound) return fail(app.error());
  return {};
}

Result<FileLock> lock_name(Session& session, const std::string& name) {
  const fs::path path = session.home().lock(name);
  DAVIT_TRY(make_dirs(path.parent_path(), 0700));
  return FileLock::acquire(path, {"apps:create", getpid(), session.clock().now_unix_ms()}, {});
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

Result<> tell_plugins(Session& session, const std::string& name, const App* source) {
  DAVIT_TRY(session.publish("app.create", JsonObject().text("app", name).str()));
  if (source == nullptr) return {};
  return session.publish("app.copy", JsonObject().text("app", name).text("source_app", source->name).str());
}

/// An app whose default name is another's can be made and given a name, but not be deployed as it is.
void warn_of_taken_names(Session& session, Store& store, const App& app) {
  const auto hosts = hosts_of(store, app);
  if (!hosts) return;
  const auto free = refuse_taken(store, app, *hosts);
  if (free) return;
  session.out().warning(free.error().text());
  session.out().warning(free.error().hint);
}

/// The repository first, and the rows last and together: one that dies on the way leaves files that are
/// nobody's, and the next who makes the app begins anew. When anything fails, nothing of it is left.
Result<App> make_app(Session& session, const std::string& name, const App* source) {
  DAVIT_TRY(check_app_name(name));
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  DAVIT_TRY(check_free(*store, name));  // at once, however long something runs on the app
  DAVIT_TRY_ASSIGN(FileLock lock, lock_name(session, name));
  DAVIT_TRY(check_free(*store, name));
  session.context.app = name;
  const Home& home = session.home();
  std::optional<App> made;
  const auto make = [&]() -> Result<> {
    DAVIT_TRY(remove_tree(home.repo(name)));
    DAVIT_TRY(remove_tree(home.slugs(name)));
    const SourceRules rules(*store, source != nullptr ? source->id : AppId::kGlobal);
    DAVIT_TRY(create_repository(home, session.where().installation, session.processes(), name,
                                rules.max_push_bytes()));
    if (source != nullptr) DAVIT_TRY(copy_branches(session, source->name, name));
    DAVIT_TRY_ASSIGN(made, store->transaction([&]() -> Result<App> {
      DAVIT_TRY_ASSIGN(App app, store->apps().create(name));
      if (source == nullptr) return app;
      DAVIT_TRY(store->apps().copy_settings(source->id, app.id));
      DAVIT_TRY(copy_release(session, *store, *source, app));
      return app;
    }));
    return tell_plugins(session, name, source);
  };
  auto done = make();
  if (done) {
    warn_of_taken_names(session, *store, *made);
    return std::move(*made);
  }
  if (made) {
    if (auto undone = store->apps().destroy(made->id); !undone) session.out().warning(undone.error().text());
  }
  if (!check_free(*store, name)) return fail(std::move(done).error());  // a rename has taken it
  for (const auto& undone : {remove_tree(home.repo(name)), remove_tree(home.slugs(name))}) {
    if (!undone) session.out().warning(undone.error().text());
  }
  lock.release_and_unlink();
  return fail(std::move(done).error());
}

}  // namespace

Result<App> create_app(Session& session, const std::string& name) {
  return make_app(session, name, nullptr);
}

Result<App> clone_app(Session& session, const App& source, const std::string& name) {
  return make_app(session, name, &source);
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
  const auto made = create_app(session, name);
  if (!made && made.error().slug == "name-taken") return {};  // by another push, just now
  if (!made) return fail(made.error());
  return {};
}

}  // namespace davit
