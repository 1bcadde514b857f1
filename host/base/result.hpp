// Result and Error: how every function of the host reports failure.
// Not for control flow inside a function, and not a log: an error is logged once, where it is handled.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace davit {

/// Few codes on purpose: nobody branches on message text, and hardly anybody on codes.
enum class Code {
  kInvalid,      ///< bad input: the user can mend it
  kNotFound,     ///< what was named does not exist
  kConflict,     ///< exists already, is locked, or another operation runs
  kDenied,       ///< not allowed (uid, mode, a gate's veto)
  kFailed,       ///< the user's code or data failed: a build, a check, a release command
  kUnavailable,  ///< a part we need (nginx, disk, engine) does not answer
  kTimeout,      ///< a deadline passed
  kCancelled,    ///< somebody asked us to stop
  kInternal,     ///< our own mistake
};

/// The word of a code in logs and JSON: "invalid", "not-found", ...
std::string_view name_of(Code code);

/// An error that says what happened and what to do. Value type; copyable.
struct Error {
  Code code = Code::kInternal;
  std::string message;               ///< one sentence without a final full stop; never a secret
  std::string hint;                  ///< what to do; may be empty
  std::string slug;                  ///< stable id for programs, e.g. "app-not-found"; may be empty
  std::vector<std::string> context;  ///< outermost last: "while applying routes of web"

  /// "context: context: message" on one line, without the hint.
  [[nodiscard]] std::string text() const;
};

template <typename T = void>
using Result = tl::expected<T, Error>;

/// Makes the failed side of any Result: `return fail(Code::kInvalid, "App name is empty", "Give a name");`
[[nodiscard]] inline tl::unexpected<Error> fail(Code code, std::string message, std::string hint = {},
                                                std::string slug = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::move(hint), std::move(slug), {}});
}

/// Passes an error on, saying what was being done.
[[nodiscard]] inline tl::unexpected<Error> fail(Error error, std::string while_doing = {}) {
  if (!while_doing.empty()) error.context.push_back(std::move(while_doing));
  return tl::unexpected<Error>(std::move(error));
}

/// The error of a failed system call: "open /x: Permission denied". Uses the given errno value.
[[nodiscard]] Error system_error(std::string_view what, int errno_value);

}  // namespace davit

/// Returns the error of `expression` from the enclosing function, if there is one.
#define DAVIT_TRY(expression)                                                           \
  do {                                                                                  \
    auto davit_try_result_ = (expression);                                              \
    if (!davit_try_result_) return ::davit::fail(std::move(davit_try_result_).error()); \
  } while (false)

#define DAVIT_TRY_CAT2_(a, b) a##b
#define DAVIT_TRY_CAT_(a, b) DAVIT_TRY_CAT2_(a, b)
#define DAVIT_TRY_ASSIGN_IMPL_(temporary, target, expression)         \
  auto temporary = (expression);                                      \
  if (!temporary) return ::davit::fail(std::move(temporary).error()); \
  target = std::move(*temporary)

/// `DAVIT_TRY_ASSIGN(auto app, store.app("web"));`
#define DAVIT_TRY_ASSIGN(target, expression) \
  DAVIT_TRY_ASSIGN_IMPL_(DAVIT_TRY_CAT_(davit_try_value_, __LINE__), target, expression)
