// See engine_failure.hpp.
#include "engine/engine_failure.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

namespace davit::docker {
namespace {

constexpr std::size_t kShownBytes = 400;

std::string message_in(std::string_view body) {
  const auto parsed = nlohmann::json::parse(body, nullptr, false);
  std::string text;
  if (parsed.is_object() && parsed.contains("message") && parsed["message"].is_string()) {
    text = parsed["message"].get<std::string>();
  } else {
    text = body;
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  if (text.size() > kShownBytes) text = text.substr(0, kShownBytes) + " ...";
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text;
}

davit_status status_of(int http_status) {
  if (http_status == 404) return DAVIT_NOT_FOUND;
  if (http_status == 409 || http_status == 304) return DAVIT_CONFLICT;
  if (http_status == 401 || http_status == 403) return DAVIT_DENIED;
  if (http_status >= 400 && http_status < 500) return DAVIT_INVALID;
  if (http_status == 503) return DAVIT_UNAVAILABLE;
  return DAVIT_FAILED;
}

std::string hint_for(const std::string& message) {
  const auto has = [&](const char* text) { return message.find(text) != std::string::npos; };
  if (has("no space left on device")) return "free disk space where the engine keeps its data";
  if (has("address pool") || has("predefined address"))
    return "the engine has no subnet left for another network: set address-pool under "
           "[plugins.docker.settings], or default-address-pools in the engine's daemon.json";
  if (has("port is already allocated") || has("address already in use"))
    return "something else listens there: see `ss -ltnp`";
  if (has("no such image") || has("No such image")) return "make it with `davit stack:build`, or set another";
  return "see the engine's own log";
}

}  // namespace

EngineFailure cannot_connect(const std::string& socket, int error) {
  if (error == EACCES || error == EPERM) {
    return {DAVIT_DENIED, 0, "engine-denied",
            fmt::format("uid {} may not use the Docker engine at {}", geteuid(), socket),
            "add davit's user to the group that owns the socket (usually `docker`), or run davit as root"};
  }
  return {DAVIT_UNAVAILABLE, 0, "engine-down",
          fmt::format("No Docker engine answers at {}: {}", socket, std::strerror(error)),
          fmt::format("start it (`systemctl start docker`, or `dockerd -H unix://{}`), or name its socket as "
                      "`socket` in the "
                      "settings of the plugins docker and dockerfile",
                      socket)};
}

EngineFailure engine_silent(const std::string& socket, std::uint64_t idle_ms) {
  return {DAVIT_TIMEOUT, 0, "engine-slow",
          fmt::format("The Docker engine at {} has not answered for {} s", socket, idle_ms / 1000),
          "see the engine's log and the machine's load; a restart of the engine may help"};
}

EngineFailure engine_garbled(const std::string& socket, const std::string& what) {
  return {DAVIT_UNAVAILABLE, 0, "engine-garbled",
          fmt::format("{} does not answer as a Docker engine does: {}", socket, what),
          "check that the setting `socket` names an engine's socket, and see the engine's log"};
}

EngineFailure engine_refused(int http_status, std::string_view body, const std::string& what) {
  const std::string message = message_in(body);
  return {status_of(http_status),
          http_status,
          "engine-refused",
          message.empty()
              ? fmt::format("The Docker engine answered {} to {}", http_status, what)
              : fmt::format("The Docker engine answered {} to {}: {}", http_status, what, message),
          hint_for(message),
          message};
}

}  // namespace davit::docker
