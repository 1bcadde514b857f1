// A change of an app's links that goes with a deployment: its request carries it, what it starts has it, and
// its switch writes it down. One that is taken back changes neither what runs nor what is recorded.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace davit {

struct LinkChange {
  std::vector<NewLink> links;  ///< all that the app has then
  /// A config variable that makes room for a link's, and its new name; "": none does.
  std::string moved_from, moved_to;
};

/// What is recorded now.
Result<std::vector<NewLink>> links_now(Store& store, AppId app);

/// For the request's member "links"; it has no secrets but a querystring's.
std::string to_json(const LinkChange& change);
/// nullopt: the request has none.
std::optional<LinkChange> link_change_of(const nlohmann::json& request, AppId app);

/// Gives the variable that makes room its new name, if the config has it.
void move_variable(ConfigMap& config, const LinkChange& change);

/// In the caller's transaction. NotFound "service-not-found": one has been destroyed since.
Result<> record_links(Store& store, AppId app, const LinkChange& change);

}  // namespace davit
