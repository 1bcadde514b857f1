// pre-receive.
#include "git/receive_hook.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.hpp"
#include "git/git_command.hpp"
#include "git/quarantine.hpp"
#include "git/source_rules.hpp"
#include "lifecycle/identity.hpp"

namespace davit {
namespace {

constexpr std::size_t kShownDigits = 12;
constexpr std::string_view kHeads = "refs/heads/";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::uint64_t number_or(const std::string& text, std::uint64_t otherwise) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && !text.empty() && end == text.data() + text.size() ? number : otherwise;
}

// A push to a branch that does not deploy is a newcomer's first surprise: it says how to deploy it.
void say_stored(const RefUpdate& update, const SourceRules& rules, std::string_view app, UserOutput& out) {
  constexpr std::string_view kHeads = "refs/heads/";
  if (update.new_id == kZeroId) {
    out.step(fmt::format("{} is removed", update.ref));
    return;
  }
  out.step(fmt::format("{} is stored, not deployed; {} deploys {}", update.ref, app, rules.branches_text()));
  if (!update.ref.starts_with(kHeads)) return;
  const std::string branch = update.ref.substr(kHeads.size());
  const std::string wanted = rules.branch().empty() ? "main" : rules.branch();
  out.detail(fmt::format(
      "To deploy it: git push REMOTE {}:{}. For later pushes: davit git:set {} deploy-branch {}\n", branch,
      wanted, app, branch));
}

Result<std::optional<RefUpdate>> choose(const std::vector<RefUpdate>& updates, const SourceRules& rules,
                                        std::string_view app, const CallContext& context) {
  std::optional<RefUpdate> chosen;
  for (const RefUpdate& update : updates) {
    if (!rules.deploys(update.ref)) {
      say_stored(update, rules, app, context.out);
      continue;
    }
    if (update.new_id == kZeroId) {
      return fail(Code::kInvalid, fmt::format("{} is what {} runs: it cannot be deleted", update.ref, app),
                  fmt::format("To take the app down: davit ps:stop {}, or davit apps:destroy {}", app, app),
                  "delete-refused");
    }
    if (chosen) {
      return fail(
          Code::kInvalid,
          fmt::format("This push moves {} and {}, and both would be deployed", chosen->ref, update.ref),
          fmt::format("Push one of them, or choose: davit git:set {} deploy-branch NAME", app),
          "several-refs");
    }
    chosen = update;
  }
  return chosen;
}

// In the quarantine objects are found through the environment that git gave us.
std::vector<std::string> quarantine_environment() {
  std::vector<std::string> env;
  for (const char* name :
       {"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH"}) {
    if (const std::string value = variable(name); !value.empty())
      env.push_back(fmt::format("{}={}", name, value));
  }
  return env;
}

tl::unexpected<Error> moved(const PushedRevision& pushed, std::string_view to) {
  return fail(Code::kConflict,
              fmt::format("{} was moved to {} by another push, while this one waited", pushed.ref,
                          to.substr(0, kShownDigits)),
              "Nothing was deployed. Fetch, if that push was somebody else's, and push again",
              "branch-moved");
}

/// The zero id where the branch does not exist.
std::string tip(const ReceiveParts& parts, std::string_view app, std::string_view ref) {
  const GitCommand git(parts.processes, parts.home.repo(app).string());
  const auto now = git.run({"rev-parse", "--verify", "-q", std::string(ref)});
  return now ? std::string(trim(*now)) : std::string(kZeroId);
}

}  // namespace

bool has_push_option(std::string_view option) {
  const auto count = number_or(variable("GIT_PUSH_OPTION_COUNT"), 0);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (variable(fmt::format("GIT_PUSH_OPTION_{}", i).c_str()) == option) return true;
  }
  return false;
}

Result<std::vector<RefUpdate>> parse_updates(std::string_view text) {
  std::vector<RefUpdate> updates;
  for (const std::string& line : split_lines(text)) {
    if (line.empty()) continue;
    const auto words = split(line, ' ');
    if (words.size() != 3 || !is_object_id(words[0]) || !is_object_id(words[1]) || words[2].empty()) {
      return fail(Code::kInvalid, "git:hook reads lines OLD NEW REF, as git writes them to pre-receive");
    }
    updates.push_back({words[0], words[1], words[2]});
  }
  return updates;
}

std::string PushedRevision::request_json() const {
  std::string text =
      fmt::format(R"({{"revision":{},"old_revision":{},"ref":{},"source":{})", json_quote(revision),
                  json_quote(old_revision), json_quote(ref), json_quote(source));
  if (receiver) {
    text += fmt::format(R"(,"receiver":{{"boot_id":{},"pid":{},"start_time":{}}})",
                        json_quote(receiver->boot_id), receiver->pid, receiver->start_time_ticks);
  }
  return text + "}";
}

// From where the branch is now along the pushes that are committed, and whose git has perhaps not moved it
// yet.
Result<std::string> expected_tip(const ReceiveParts& parts, std::string_view app_name, std::string_view ref) {
  DAVIT_TRY_ASSIGN(const App app, parts.store.apps().get(app_name));
  // First these, then the branch: when one of them is done, the branch has been moved. So none is missed.
  DAVIT_TRY_ASSIGN(const auto unfinished, parts.store.journal().unfinished(app.id));
  std::string expected = tip(parts, app_name, ref);
  for (const Deployment& deployment : unfinished) {
    const bool committed =
        deployment.state == DeploymentState::kCommitted || deployment.state == DeploymentState::kDraining;
    if (deployment.kind != "push" || !committed) continue;
    const auto request = nlohmann::json::parse(deployment.request_json, nullptr, false);
    if (!request.is_object() || request.value("ref", std::string()) != ref) continue;
    if (request.value("old_revision", std::string()) == expected)
      expected = request.value("revision", std::string());
  }
  return expected;
}

Result<> check_not_moved(const ReceiveParts& parts, const PushedRevision& pushed) {
  DAVIT_TRY_ASSIGN(const std::string expected, expected_tip(parts, pushed.app, pushed.ref));
  if (expected != pushed.old_revision) return moved(pushed, expected);
  return {};
}

Result<int> receive(const ReceiveParts& parts, std::string_view name, std::string_view text,
                    const CallContext& context) {
  DAVIT_TRY_ASSIGN(const App app, parts.store.apps().get(name));
  DAVIT_TRY_ASSIGN(const auto updates, parse_updates(text));
  const SourceRules rules(parts.store, app.id);
  DAVIT_TRY_ASSIGN(const auto chosen, choose(updates, rules, name, context));
  if (!chosen) return 0;

  const GitCommand git(parts.processes, parts.home.repo(name).string());
  DAVIT_TRY(rules.check(git, chosen->new_id, quarantine_environment()));
  const auto objects = parts.home.repo(name) / "objects";
  if (const std::string quarantine = variable("GIT_QUARANTINE_PATH"); !quarantine.empty()) {
    DAVIT_TRY(adopt_objects(quarantine, objects));
  }
  sweep_quarantines(objects);
  // We are git's child: once it has ended, our parent is somebody who never moves a branch.
  auto receiver = identity_of(getppid());
  return parts.deploy(
      PushedRevision{.app = app.name,
                     .revision = chosen->new_id,
                     .old_revision = chosen->old_id,
                     .ref = chosen->ref,
                     .source = "git push " + chosen->ref.substr(kHeads.size()),
                     .receiver = receiver ? std::optional(std::move(*receiver)) : std::nullopt,
                     .no_wait = has_push_option("no-wait")});
}

}  // namespace davit
