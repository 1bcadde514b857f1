// What is written on everything that davit makes on an engine, and how its images are named. Nothing without
// the home's label is touched. Pure.
#pragma once

#include <map>
#include <string>

#include "engine/digest.hpp"

namespace davit::docker {

using Labels = std::map<std::string, std::string>;

inline constexpr const char* kLabelHome = "davit.home";  ///< on everything; nothing without it is touched
inline constexpr const char* kLabelHomePath = "davit.home-path";
inline constexpr const char* kLabelKind =
    "davit.kind";  ///< instance, task, network, base, slug, stack, app, scratch
inline constexpr const char* kLabelOwnerKind = "davit.owner-kind";
inline constexpr const char* kLabelOwner = "davit.owner";
inline constexpr const char* kLabelRevision = "davit.revision";
inline constexpr const char* kLabelType = "davit.type";
inline constexpr const char* kLabelNumber = "davit.number";
inline constexpr const char* kLabelSpec = "davit.spec";  ///< a hash: what an instance was made from
inline constexpr const char* kLabelPort = "davit.port";  ///< published on 127.0.0.1
inline constexpr const char* kLabelStopMs = "davit.stop-ms";
inline constexpr const char* kLabelRunner = "davit.runner";  ///< of a task: the process that waits for it
inline constexpr const char* kLabelSlug = "davit.slug";      ///< of an image: the slug's path
inline constexpr const char* kLabelStackId = "davit.stack-id";
inline constexpr const char* kLabelStack = "davit.stack";  ///< of an image: the stack's name or image

/// Stands for a home in labels and names: of its path.
inline std::string home_id_of(const std::string& home) {
  return short_hash(home);
}
/// "davit-0123456789ab/KIND"
inline std::string repository_of(const std::string& home_id, const std::string& kind) {
  return "davit-" + home_id + "/" + kind;
}

}  // namespace davit::docker
