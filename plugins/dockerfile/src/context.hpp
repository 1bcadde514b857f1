// The context of a build: the app's tree without what .dockerignore names, as a tar stream.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "davit/host.hpp"
#include "engine/engine.hpp"
#include "ignore_rules.hpp"

namespace davit::dockerfile {

struct ContextSpec {
  std::filesystem::path tree;
  std::filesystem::path scratch;  ///< an own folder, for the list of files
  std::string dockerfile;         ///< relative to the tree: goes along whatever the rules say
  std::int64_t unix_s = 0;        ///< of every entry: equal trees are equal streams
};

/// DOCKERFILE.dockerignore beside the Dockerfile, else .dockerignore; no rules where neither is there.
IgnoreRules ignore_rules_of(const ContextSpec& spec);
/// The entries that go along, relative, a folder before what it holds; sorted. `check` is called for each,
/// and may throw: rules and entries may be many.
std::vector<std::string> context_entries(const ContextSpec& spec, const IgnoreRules& rules,
                                         const std::function<void()>& check);
/// Writes the stream; everything in it belongs to root, as a build expects it.
void send_context(const sdk::Host& host, const sdk::Call& call, const ContextSpec& spec,
                  const std::function<void()>& check, const docker::BodySink& sink);

}  // namespace davit::dockerfile
