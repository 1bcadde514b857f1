/* Failures as C++ exceptions, and the one place where they stop: report_exception() turns whatever is in
 * flight into a davit_status and, for failures of the plugin's own, the error slot of the call. No exception
 * leaves a thunk.
 */
#ifndef DAVIT_FAILURE_HPP
#define DAVIT_FAILURE_HPP

#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "davit/call.h"
#include "davit/text.hpp"

namespace davit::sdk {

/* What a plugin throws to fail. `slug` is a stable word for programs ("port-taken"), `message` one sentence,
 * `hint` what the user can do about it. Never a secret in any of them. */
class Failure : public std::exception {
 public:
  Failure(davit_status status, std::string slug, std::string message, std::string hint = std::string())
      : status_(status == DAVIT_OK ? DAVIT_INTERNAL : status),
        slug_(std::move(slug)),
        message_(std::move(message)),
        hint_(std::move(hint)) {}

  davit_status status() const noexcept { return status_; }
  const std::string& slug() const noexcept { return slug_; }
  const std::string& message() const noexcept { return message_; }
  const std::string& hint() const noexcept { return hint_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  davit_status status_;
  std::string slug_;
  std::string message_;
  std::string hint_;
};

/* A function of the host (or one of its sinks) failed; the call's error slot already says why, so that a
 * plugin which does not catch this hands the host's own words on. */
class HostFailure : public std::exception {
 public:
  HostFailure(davit_status status, std::string message) : status_(status), message_(std::move(message)) {}
  davit_status status() const noexcept { return status_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  davit_status status_;
  std::string message_;
};

namespace detail {

inline davit_status append_chunk(void* text, davit_str chunk) noexcept {
  try {
    static_cast<std::string*>(text)->append(view(chunk));
    return DAVIT_OK;
  } catch (...) {
    return DAVIT_INTERNAL;
  }
}

inline std::string error_text(const davit_call* call) {
  std::string text;
  if (call != nullptr && DAVIT_HAS(call, davit_call, get_error) && call->get_error != nullptr) {
    const davit_sink sink{&text, &append_chunk};
    call->get_error(call, &sink);
  }
  return text;
}

inline void set_error(const davit_call* call, std::string_view slug, std::string_view message,
                      std::string_view hint) noexcept {
  if (call == nullptr || !DAVIT_HAS(call, davit_call, fail) || call->fail == nullptr) return;
  call->fail(call, str(slug), str(message), str(hint));
}

/* To be called in a catch block. */
inline davit_status report_exception(const davit_call* call) noexcept {
  try {
    throw;
  } catch (const HostFailure& failure) {
    return failure.status() == DAVIT_OK ? DAVIT_INTERNAL : failure.status();
  } catch (const Failure& failure) {
    set_error(call, failure.slug(), failure.message(), failure.hint());
    return failure.status();
  } catch (const std::bad_alloc&) {
    set_error(call, "out-of-memory", "the plugin ran out of memory", "");
    return DAVIT_INTERNAL;
  } catch (const std::exception& error) {
    set_error(call, "internal", error.what(), "this is a mistake in the plugin: report it to its authors");
    return DAVIT_INTERNAL;
  } catch (...) {
    set_error(call, "internal", "the plugin threw something that is not a std::exception",
              "this is a mistake in the plugin: report it to its authors");
    return DAVIT_INTERNAL;
  }
}

/* Runs a plugin's code behind a C function. */
template <class Function>
davit_status guard(const davit_call* call, Function&& function) noexcept {
  try {
    function();
    return DAVIT_OK;
  } catch (...) {
    return report_exception(call);
  }
}

/* Turns the status of a host function into an exception. */
inline void check(const davit_call* call, davit_status status) {
  if (status != DAVIT_OK) throw HostFailure(status, error_text(call));
}

}  // namespace detail
}  // namespace davit::sdk
#endif
