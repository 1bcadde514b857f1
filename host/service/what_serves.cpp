// See what_serves.hpp.
#include "service/what_serves.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/text.hpp"
#include "store/services.hpp"

namespace davit {
namespace {

constexpr std::string_view kMachine = "process";  // runs programs of this machine

std::string fact(const TextMap& facts, std::string_view key) {
  const auto found = facts.find(key);
  return found == facts.end() ? std::string() : found->second;
}

Result<TextMap> facts_of(Capabilities& capabilities, std::string_view kind, const CallContext& context) {
  DAVIT_TRY_ASSIGN(ServiceKind * found, capabilities.service_kind(kind));
  return found->describe(context);
}

/// The release of Debian here. It is in the image's name: another one has another version of the server,
/// which could not read the data.
std::string codename() {
  std::ifstream file("/etc/os-release");
  for (std::string line; std::getline(file, line);) {
    constexpr std::string_view kKey = "VERSION_CODENAME=";
    if (line.starts_with(kKey)) return line.substr(kKey.size());
  }
  return "debian";
}

std::string without_tag(std::string_view image) {
  const auto colon = image.rfind(':');
  const bool tagged = colon != std::string_view::npos && image.find('/', colon) == std::string_view::npos;
  return std::string(tagged ? image.substr(0, colon) : image);
}

bool is_ours(std::string_view image) {
  return image.find_first_of(":/@") == std::string_view::npos;
}

Result<std::string> installed(std::string_view kind, const TextMap& facts, const WantedServer& wanted) {
  if (!wanted.image.empty()) {
    return fail(Code::kInvalid, "An image is for a runtime of containers",
                "Leave --image out, or give --runtime", "image-on-machine");
  }
  const auto versions = split_words(fact(facts, "versions"));
  if (versions.empty()) {
    return fail(Code::kUnavailable, fmt::format("No {} server is installed here", kind),
                fact(facts, "missing"), "server-missing");
  }
  if (wanted.version.empty()) return versions.back();
  if (std::ranges::find(versions, wanted.version) != versions.end()) return wanted.version;
  return fail(Code::kNotFound, fmt::format("{} {} cannot be served here", kind, wanted.version),
              fmt::format("Installed: {}", join(versions, ", ")), "version-missing");
}

}  // namespace

bool is_made_here(std::string_view version) {
  return is_ours(image_in(version));
}

Result<std::string> make_service_image(Capabilities& capabilities, std::string_view kind,
                                       const std::string& runtime, bool anew, const CallContext& context) {
  DAVIT_TRY_ASSIGN(const TextMap facts, facts_of(capabilities, kind, context));
  const auto packages = split_words(fact(facts, "packages"));
  if (packages.empty()) {
    return fail(Code::kUnavailable, fmt::format("{} says no Debian packages to make an image of", kind),
                "Give an image: --image NAME --image-version TAG", "no-image");
  }
  DAVIT_TRY_ASSIGN(Runtime * chosen, capabilities.runtime(runtime));
  DAVIT_TRY_ASSIGN(const TextMap described, chosen->describe(context));
  if (fact(described, "isolation") != "container") {
    return fail(Code::kUnavailable, fmt::format("The runtime {} runs no containers", chosen->id()),
                "Name one that does: --runtime RUNTIME", "no-containers");
  }
  std::string name = fmt::format("service-{}-{}", kind, codename());
  DAVIT_TRY(chosen->make_stack(name, packages, anew, context));
  return name;
}

Result<WhatServes> choose_server(Capabilities& capabilities, std::string_view kind,
                                 const WantedServer& wanted, std::string_view present,
                                 const CallContext& context) {
  DAVIT_TRY_ASSIGN(Runtime * chosen, capabilities.runtime(wanted.runtime));
  DAVIT_TRY_ASSIGN(const TextMap runtime, chosen->describe(context));
  DAVIT_TRY_ASSIGN(const TextMap facts, facts_of(capabilities, kind, context));
  const std::string official = fact(facts, "image");
  const bool containers = fact(runtime, "isolation") == "container";
  const bool has_image = !official.empty() || !fact(facts, "packages").empty() || !wanted.image.empty();
  if (containers && !has_image) {
    if (!wanted.runtime.empty()) {
      return fail(Code::kUnavailable, fmt::format("{} knows of no image to be served from", kind),
                  "Give --image, or leave --runtime out", "no-image");
    }
    DAVIT_TRY_ASSIGN(chosen, capabilities.runtime(kMachine));
  }
  WhatServes found{std::string(chosen->id()), {}};
  if (!containers || !has_image) {
    DAVIT_TRY_ASSIGN(found.version, installed(kind, facts, wanted));
    return found;
  }
  std::string image = wanted.image;
  const std::string_view before = image_in(present);
  if (image.empty() && !wanted.version.empty())
    image = before.empty() || is_ours(before) ? official : without_tag(before);
  if (image.empty()) {
    DAVIT_TRY_ASSIGN(image, make_service_image(capabilities, kind, found.runtime, false, context));
  } else if (!wanted.version.empty()) {
    image = without_tag(image) + ":" + wanted.version;
  } else if (is_ours(image)) {
    image += ":latest";
  }
  found.version = std::string(kImagePrefix) + image;
  return found;
}

}  // namespace davit
