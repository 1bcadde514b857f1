// ReceiveHook: pre-receive. It reads which refs a push moves, checks them, keeps the objects, and hands the
// one that is to be deployed on. It decides nothing about how a deploy goes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/call_context.hpp"
#include "base/paths.hpp"
#include "base/result.hpp"
#include "process/process_runner.hpp"
#include "store/journal_types.hpp"
#include "store/store.hpp"

namespace davit {

struct RefUpdate {
  std::string old_id, new_id, ref;
};

/// "OLD NEW REF\n" lines.
Result<std::vector<RefUpdate>> parse_updates(std::string_view text);

/// What a push asks for.
struct PushedRevision {
  std::string app;
  std::string revision, old_revision, ref;
  std::string source;  ///< for people: "git push main"
  /// git receive-pack, which moves the branch if it still lives at the end; none: it is gone already.
  std::optional<ProcessIdentity> receiver;
  bool no_wait = false;  ///< push option "no-wait"
  /// The request of a deployment of kind "push" (commands/deployer.hpp).
  [[nodiscard]] std::string request_json() const;
};

struct ReceiveParts {
  const Home& home;
  Store& store;
  ProcessRunner& processes;
  /// Deploys and returns the exit code for the pusher.
  std::function<Result<int>(const PushedRevision&)> deploy;
};

/// Where the branch is, or will be as soon as whoever pushed last has moved it; the zero id: nowhere yet.
/// With the app's lock held it does not change.
Result<std::string> expected_tip(const ReceiveParts& parts, std::string_view app, std::string_view ref);

/// To be asked with the app's lock held: git has told this pusher where the branch was before it waited, and
/// will refuse to move it if another push has moved it since. Then nothing may be deployed. Error: kConflict,
/// "branch-moved".
Result<> check_not_moved(const ReceiveParts& parts, const PushedRevision& pushed);

/// `git push -o OPTION` was given: asked in the hook's environment.
bool has_push_option(std::string_view option);

/// Runs the hook for `app` with git's `updates` (its stdin). The environment's GIT_QUARANTINE_PATH and
/// GIT_PUSH_OPTION_* are read here, and nowhere else. Refused pushes are errors, whose text is what the
/// pusher sees last.
Result<int> receive(const ReceiveParts& parts, std::string_view app, std::string_view updates,
                    const CallContext& context);

}  // namespace davit
