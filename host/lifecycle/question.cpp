// Asking an instance how it is.
#include "lifecycle/question.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "process/listening.hpp"

namespace davit {
namespace {

bool is_good(const HealthCheck& check, int status) {
  if (check.statuses.empty()) return status >= 200 && status <= 399;
  return std::ranges::find(check.statuses, status) != check.statuses.end();
}

Result<std::string> ask_uptime(const LifecycleServices& services, const Instance& instance,
                               const HealthCheck& check) {
  const auto up_ms = services.clock.now_unix_ms() - instance.since_unix_ms;
  if (up_ms < static_cast<std::int64_t>(check.uptime_ms)) {
    return fail(Code::kUnavailable, fmt::format("it has run for {} only", duration_text(up_ms)));
  }
  return fmt::format("it has run for {}", duration_text(up_ms));
}

Result<std::string> ask_command(Runtime& runtime, const Instance& instance, const HealthCheck& check,
                                const CallContext& call) {
  ExecRequest request;
  request.instance = instance.id;
  request.argv = check.command;
  request.timeout_ms = check.timeout_ms;
  DAVIT_TRY_ASSIGN(const int code, runtime.exec(request, call));
  if (code == 0) return fmt::format("the command {} exited with 0", check.command.front());
  return fail(Code::kFailed, fmt::format("the command {} exited with {}", check.command.front(), code));
}

Result<std::string> ask_http(EndpointProbe& probe, const Endpoint& endpoint, Way way,
                             const HealthCheck& check, const CallContext& call) {
  HttpRequest request{check.path,    "localhost", check.headers, check.timeout_ms, !check.content.empty(),
                      call.cancelled};
  if (const auto host = check.headers.find("Host"); host != check.headers.end()) request.host = host->second;
  request.headers.erase("Host");
  auto answer = probe.get(endpoint, request);
  if (!answer) {
    if (answer.error().code == Code::kCancelled) return fail(answer.error());
    // A refused connection means that it is still starting; anything after that is an answer.
    if (!probe.connect(endpoint, check.timeout_ms, way)) return fail(answer.error());
    // It may have begun to listen between the two.
    if (answer.error().code == Code::kUnavailable) answer = probe.get(endpoint, request);
  }
  if (!answer) return fail(Code::kFailed, fmt::format("GET {}: {}", check.path, answer.error().message));
  if (!is_good(check, answer->status)) {
    return fail(Code::kFailed, fmt::format("GET {} answered {}", check.path, answer->status));
  }
  if (!check.content.empty() && answer->body.find(check.content) == std::string::npos) {
    return fail(Code::kFailed,
                fmt::format("GET {} answered without {}", check.path, json_quote(check.content)));
  }
  return fmt::format("GET {} answered {}", check.path, answer->status);
}

tl::unexpected<Error> nobody_there(const Endpoint& endpoint) {
  return fail(Code::kUnavailable, fmt::format("nothing listens on its port {} (PORT)", endpoint.port));
}

Result<std::string> ask_endpoint(EndpointProbe& probe, const Endpoint& endpoint, Way way,
                                 const HealthCheck& check, const CallContext& call) {
  if (check.kind == HealthCheck::Kind::kHttp) return ask_http(probe, endpoint, way, check, call);
  if (!probe.connect(endpoint, check.timeout_ms, way)) return nobody_there(endpoint);
  return fmt::format("it listens on its port {}", endpoint.port);
}

}  // namespace

Result<std::string> ask_instance(const LifecycleServices& services, Runtime& runtime,
                                 const Instance& instance, const HealthCheck& check,
                                 const CallContext& call) {
  if (check.kind == HealthCheck::Kind::kUptime) return ask_uptime(services, instance, check);
  if (check.kind == HealthCheck::Kind::kCommand) return ask_command(runtime, instance, check, call);
  if (instance.endpoints.empty()) return fail(Code::kUnavailable, "it has no port");
  if (instance.listening == Listening::kNo) return nobody_there(instance.endpoints.front());
  const bool direct = instance.listening == Listening::kYes || is_in_our_network(instance.pid);
  const Way way = direct ? Way::kDirect : Way::kPerhapsRelayed;
  std::string said;
  for (const Endpoint& endpoint : instance.endpoints) {
    DAVIT_TRY_ASSIGN(said, ask_endpoint(services.probe, endpoint, way, check, call));
  }
  return said;
}

std::string title_of(const HealthCheck& check) {
  if (!check.name.empty()) return check.name;
  switch (check.kind) {
    case HealthCheck::Kind::kHttp:
      return "GET " + check.path;
    case HealthCheck::Kind::kCommand:
      return "the command " + check.command.front();
    case HealthCheck::Kind::kUptime:
      return "an uptime of " + duration_text(static_cast<std::int64_t>(check.uptime_ms));
    case HealthCheck::Kind::kListening:
      break;
  }
  return "the port";
}

void report_failure(Runtime& runtime, const Instance& instance, const HealthCheck& check,
                    const CallContext& call) {
  if (check.on_failure.empty()) return;
  ExecRequest request;
  request.instance = instance.id;
  request.argv = check.on_failure;
  request.env = {{"DAVIT_CHECK", title_of(check)}};
  request.timeout_ms = check.timeout_ms;
  request.out = request.err = [&](std::string_view bytes) { call.out.detail(bytes); };
  const auto code = runtime.exec(request, call);
  const std::string name = check.on_failure.front();
  if (!code) call.out.warning(fmt::format("onFailure: {}", code.error().text()));
  if (code && *code != 0) call.out.warning(fmt::format("onFailure: {} exited with {}", name, *code));
}

}  // namespace davit
