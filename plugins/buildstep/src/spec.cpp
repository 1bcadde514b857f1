// The grammar of buildpack names. Users' text: everything that is not clearly one of the known forms is
// refused here, before any program sees it.
#include "spec.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

#include <fmt/core.h>

#include "davit/failure.hpp"

namespace davit::buildstep {
namespace {

constexpr std::array<std::string_view, 4> kShipped{"node", "python", "static", "procfile"};
constexpr std::array<std::string_view, 7> kArchiveEnds{".tgz",     ".tar.gz",  ".tar",    ".tar.xz",
                                                       ".tar.bz2", ".tar.zst", ".tar.lz4"};
constexpr std::size_t kLongest = 2048;

[[noreturn]] void refuse(std::string_view label, std::string_view why) {
  throw sdk::Failure(
      DAVIT_INVALID, "buildpack-invalid",
      fmt::format("Invalid buildpack specified: {}{}{}", label, why.empty() ? "" : ": ", why),
      "Give a name (heroku/nodejs, davit/static), a git URL, the URL of a .tgz file or an absolute "
      "path, with #REF for a branch, tag or commit");
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

bool is_name(std::string_view text) {
  return !text.empty() && text.front() != '.' && text.front() != '-' &&
         std::ranges::all_of(
             text, [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-' || c == '.'; });
}

bool is_ref(std::string_view text) {
  return !text.empty() && std::isalnum(static_cast<unsigned char>(text.front())) &&
         text.find("..") == std::string_view::npos && std::ranges::all_of(text, [](unsigned char c) {
           return std::isalnum(c) ||
                  std::string_view("._/+-@").find(static_cast<char>(c)) != std::string_view::npos;
         });
}

bool ends_like_archive(std::string_view text) {
  text = text.substr(0, text.find('?'));
  return std::ranges::any_of(kArchiveEnds, [text](std::string_view end) { return text.ends_with(end); });
}

/// Repositories whose names do not follow heroku-buildpack-NAME.
std::string repository_of(std::string_view owner, std::string_view name) {
  if (owner == "heroku-community") owner = "heroku";
  if (owner == "heroku" && name == "jvm") name = "jvm-common";
  return fmt::format("https://github.com/{}/heroku-buildpack-{}.git", owner, name);
}

/// Where a URL's "?" is, which a token may stand behind; npos for a path.
std::size_t query_of(std::string_view location) {
  return location.starts_with('/') ? std::string_view::npos : location.find('?');
}

/// Moves "user:password@" out of a URL's authority.
void take_credentials(BuildpackSpec& spec) {
  const std::size_t scheme = spec.location.find("://");
  if (scheme == std::string::npos) return;
  const std::size_t begin = scheme + 3;
  const std::size_t end = std::min(spec.location.find('/', begin), spec.location.size());
  const std::size_t at = spec.location.rfind('@', end);
  if (at == std::string::npos || at < begin) return;
  const std::string both = spec.location.substr(begin, at - begin);
  if (spec.location.starts_with("ssh://") && both.find(':') == std::string::npos)
    return;  // a user's name is no secret
  const std::size_t colon = both.find(':');
  spec.user = both.substr(0, colon);
  if (colon != std::string::npos) spec.password = both.substr(colon + 1);
  spec.location.erase(begin, at + 1 - begin);
}

BuildpackSpec with_path(BuildpackSpec spec, std::string_view path) {
  if (!path.starts_with('/')) refuse(spec.text, "a path must be absolute");
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  spec.kind = ends_like_archive(path) ? SpecKind::kArchive : SpecKind::kLocal;
  spec.location = path;
  return spec;
}

/// The part before '#'.
BuildpackSpec understand(BuildpackSpec spec, std::string_view body) {
  if (is_shipped(body)) {
    spec.kind = SpecKind::kShipped;
    spec.location = body.starts_with("davit/") ? body.substr(6) : body;
    return spec;
  }
  if (body.starts_with("file://")) return with_path(std::move(spec), body.substr(7));
  if (body.starts_with('/')) return with_path(std::move(spec), body);
  for (const std::string_view scheme : {"https://", "http://", "git://", "ssh://"}) {
    if (!body.starts_with(scheme) || body.size() == scheme.size()) continue;
    spec.kind = scheme.starts_with("http") && ends_like_archive(body) ? SpecKind::kArchive : SpecKind::kGit;
    spec.location = body;
    take_credentials(spec);
    return spec;
  }
  if (body.starts_with("git@") && body.find(':') != std::string_view::npos) {
    spec.kind = SpecKind::kGit;
    spec.location = body;
    return spec;
  }
  const std::size_t slash = body.find('/');
  if (slash != std::string_view::npos && is_name(body.substr(0, slash)) && is_name(body.substr(slash + 1))) {
    if (body.starts_with("davit/")) refuse(body, "davit has no buildpack of that name");
    spec.kind = SpecKind::kGit;
    spec.location = repository_of(body.substr(0, slash), body.substr(slash + 1));
    return spec;
  }
  refuse(body, "");
}

}  // namespace

bool is_shipped(std::string_view name) {
  if (name.starts_with("davit/")) name.remove_prefix(6);
  return std::ranges::find(kShipped, name) != kShipped.end();
}

BuildpackSpec parse_spec(std::string_view text) {
  text = trim(text);
  BuildpackSpec spec;
  spec.text = text;
  if (text.empty()) refuse("(empty)", "");
  if (text.size() > kLongest) refuse(text.substr(0, 40), "it is too long");
  if (text.front() == '-') refuse(text, "it begins with a dash");
  if (std::ranges::any_of(text, [](unsigned char c) { return c <= ' ' || c == 0x7f; })) {
    refuse("(text with blanks or control characters)", "it has blanks or control characters");
  }
  const std::size_t hash = text.find('#');
  spec = understand(std::move(spec), text.substr(0, hash));
  if (hash != std::string_view::npos) {
    spec.ref = text.substr(hash + 1);
    if (!is_ref(spec.ref)) refuse(spec.label(), "what stands after # is not a branch, tag or commit");
  }
  if (!spec.ref.empty() && (spec.kind == SpecKind::kShipped || spec.kind == SpecKind::kArchive)) {
    refuse(spec.label(), "only git repositories have a #REF");
  }
  return spec;
}

std::string BuildpackSpec::label() const {
  if (kind == SpecKind::kShipped) return "davit/" + location;
  const bool is_private = !user.empty() || !password.empty();
  const std::size_t query = query_of(location);
  if (!is_private && query == std::string::npos) return text;
  std::string masked = location.substr(0, query);
  if (query != std::string::npos) masked += "?***";
  if (is_private) masked.insert(location.find("://") + 3, "***@");
  return ref.empty() ? masked : masked + "#" + ref;
}

std::string BuildpackSpec::canonical() const {
  if (kind == SpecKind::kShipped) return label();
  if (kind != SpecKind::kGit || text.find("://") != std::string::npos || text.starts_with("git@"))
    return text;
  return ref.empty() ? location : location + "#" + ref;
}

std::string BuildpackSpec::cache_name() const {
  std::uint64_t hash =
      14695981039346656037ULL;  // FNV-1a: two locations must not share a folder by their looks
  for (const unsigned char c : user + "\n" + password + "\n" + location) hash = (hash ^ c) * 1099511628211ULL;
  std::string name;
  const std::string shown = location.substr(0, query_of(location));
  for (const char c : shown.substr(shown.size() > 60 ? shown.size() - 60 : 0)) {
    name += std::isalnum(static_cast<unsigned char>(c)) ? c : '-';
  }
  return fmt::format("{}-{:016x}", name, hash);
}

}  // namespace davit::buildstep
