// BuildpackSpec: one buildpack as people name it, understood: a shipped name, a git URL, an archive or a
// local path. It fetches nothing (store.hpp does) and decides nothing about order (choice.hpp does).
#pragma once

#include <string>
#include <string_view>

namespace davit::buildstep {

enum class SpecKind {
  kShipped,  ///< one of ours; location is its folder's name
  kGit,      ///< location is what git fetches from, without credentials
  kArchive,  ///< location is a URL or an absolute path of a tar file
  kLocal,    ///< location is the absolute path of a folder, or of a git repository
};

struct BuildpackSpec {
  SpecKind kind = SpecKind::kShipped;
  std::string text;      ///< as given; may hold credentials: never for people
  std::string location;  ///< see SpecKind
  std::string ref;       ///< branch, tag or commit after '#'; empty: the default branch
  std::string user;      ///< credentials of a URL; secret
  std::string password;  ///< secret

  /// How people call it, without credentials and what stands behind a URL's "?".
  [[nodiscard]] std::string label() const;
  /// As it is kept and listed: names of repositories become their URL, shipped ones get their prefix.
  [[nodiscard]] std::string canonical() const;
  /// A name for its folder in a cache: readable, unique for the location, without '/' and, as label(),
  /// without secrets: programs get it as an argument.
  [[nodiscard]] std::string cache_name() const;
};

/// Understands `text`: a shipped name ("davit/node", "node"), a well-known one ("heroku/nodejs", OWNER/NAME),
/// a git URL, a URL or path that ends like a tar file, file:// or an absolute path; all but names with
/// "#ref".
/// @throws sdk::Failure buildpack-invalid, with a hint that lists the forms.
BuildpackSpec parse_spec(std::string_view text);

/// True for the names of our own buildpacks, with or without "davit/".
bool is_shipped(std::string_view name);

}  // namespace davit::buildstep
