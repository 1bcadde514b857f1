// Brings an image to the engine, with progress, and says in plain words why it did not come.
#pragma once

#include <optional>
#include <string>

#include "davit/call.hpp"
#include "engine/engine.hpp"
#include "engine/engine_failure.hpp"
#include "engine/registries.hpp"

namespace davit::docker {

/// Throws sdk::Failure: DENIED for a registry that wants another login, NOT_FOUND for an image that it does
/// not have, UNAVAILABLE for one that does not answer as a registry does.
void pull(Engine& engine, const sdk::Call& call, const std::string& image, const std::optional<Login>& login);

/// The engine's words about a pull, sorted. Pure; `image` may be what a build pulled, and not be known.
sdk::Failure pull_failure(const std::string& image, const std::string& words);
/// Whether a registry wants a login, or another one. Pure.
bool wants_login(const std::string& words);
/// Whether a failed build's words are about a pull: not to be asked of words that hold a step's command.
/// Pure.
bool is_about_pull(const std::string& words);

/// What one message says of a layer, on the live line.
void show_pull_progress(const sdk::Call& call, const Json& message);

}  // namespace davit::docker
