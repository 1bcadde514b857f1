// See pull.hpp.
#include "engine/pull.hpp"

#include <fmt/core.h>

#include "engine/asking.hpp"

namespace davit::docker {
namespace {

bool has_any(const std::string& words, std::initializer_list<const char*> texts) {
  for (const char* text : texts) {
    if (words.find(text) != std::string::npos) return true;
  }
  return false;
}

bool is_missing(const std::string& words) {
  return has_any(words, {"manifest unknown", "manifest for ", "repository name not known", "name unknown"});
}

bool is_unreachable(const std::string& words) {
  return has_any(words, {"Get \"http", "Head \"http", "error parsing HTTP", "received unexpected HTTP status",
                         "connection refused", "no such host", "i/o timeout",
                         "x509:", "server gave HTTP response to HTTPS client", "TLS handshake timeout",
                         "unexpected status code"});
}

/// The HOST of "https://HOST/v2/" in what an engine says; "" if it says none.
std::string server_in(const std::string& words) {
  const auto end = words.find("/v2/");
  const auto start = words.rfind("://", end);
  if (end == std::string::npos || start == std::string::npos) return {};
  return words.substr(start + 3, end - start - 3);
}

}  // namespace

bool wants_login(const std::string& words) {
  return has_any(words, {"pull access denied", "unauthorized", "401 Unauthorized", "authentication required",
                         "no basic auth", "requested access to the resource is denied",
                         "incorrect username or password"});
}

bool is_about_pull(const std::string& words) {
  return wants_login(words) || is_missing(words) || is_unreachable(words);
}

sdk::Failure pull_failure(const std::string& image, const std::string& words) {
  const std::string what = image.empty() ? "An image of the build" : "The image " + image;
  const std::string server = image.empty() ? server_in(words) : registry_of(image);
  if (wants_login(words))
    return {
        DAVIT_DENIED, "registry-denied",
        fmt::format("{} cannot be pulled: the registry wants a login, or does not know it: {}", what, words),
        fmt::format("check its name, and log in with `davit registry:login --global {} USER`",
                    server.empty() ? "SERVER" : server)};
  if (is_missing(words))
    return {DAVIT_NOT_FOUND, "image-unknown", fmt::format("{} is not in its registry: {}", what, words),
            "check its name and tag"};
  return {DAVIT_UNAVAILABLE, "pull-failed", fmt::format("{} cannot be pulled: {}", what, words),
          fmt::format("see whether {} answers, and try again",
                      server.empty() ? "its registry" : "the registry " + server)};
}

void show_pull_progress(const sdk::Call& call, const Json& message) {
  const Json& detail = object_in(message, "progressDetail");
  call.progress(text_in(message, "id") + " " + text_in(message, "status"),
                static_cast<std::uint64_t>(number_in(detail, "current")),
                static_cast<std::uint64_t>(number_in(detail, "total")), "bytes");
}

void pull(Engine& engine, const sdk::Call& call, const std::string& image,
          const std::optional<Login>& login) {
  call.step(fmt::format("Pulling {}", image));
  // Without a tag the engine would pull all of them.
  const std::size_t slash = image.rfind('/');
  const std::string last = slash == std::string::npos ? image : image.substr(slash + 1);
  const std::string tagged = last.find_first_of(":@") == std::string::npos ? image + ":latest" : image;
  try {
    const auto answer = engine.stream("POST", "/images/create", {{"fromImage", tagged}}, nullptr,
                                      patience(call, kLongMs), auth_header(login));
    read_messages(*answer, [&call](const Json& message) { show_pull_progress(call, message); });
  } catch (const EngineFailure& failure) {
    if (failure.http_status() == 0) throw;  // the engine itself
    throw pull_failure(image, failure.words());
  }
}

}  // namespace davit::docker
