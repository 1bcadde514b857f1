// Making an app: by apps:create, or by the first push to a name.
#pragma once

#include <string>

#include "commands/session.hpp"

namespace davit {

/// Repository, row and the event app.create; all or nothing, also after a kill. Invalid name; Conflict
/// "name-taken".
Result<App> create_app(Session& session, const std::string& name);

/// A new app with the settings, branches and live release of `source`, which is its newest release then;
/// nothing runs yet. All or nothing, as create_app().
Result<App> clone_app(Session& session, const App& source, const std::string& name);

/// For a push: the app, made if it is missing and apps may be made so (`[host] create_on_push`, and
/// apps:set --global disable-autocreation).
Result<> ensure_app_for_push(Session& session, const std::string& name);

}  // namespace davit
