// Result and Error: the words and the one-line form.
#include "base/result.hpp"

#include <cerrno>
#include <cstring>

namespace davit {

std::string_view name_of(Code code) {
  switch (code) {
    case Code::kInvalid:
      return "invalid";
    case Code::kNotFound:
      return "not-found";
    case Code::kConflict:
      return "conflict";
    case Code::kDenied:
      return "denied";
    case Code::kFailed:
      return "failed";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kTimeout:
      return "timeout";
    case Code::kCancelled:
      return "cancelled";
    case Code::kInternal:
      return "internal";
  }
  return "internal";
}

std::string Error::text() const {
  std::string line;
  for (auto it = context.rbegin(); it != context.rend(); ++it) line += *it + ": ";
  return line + message;
}

Error system_error(std::string_view what, int errno_value) {
  Code code = Code::kUnavailable;
  if (errno_value == ENOENT) code = Code::kNotFound;
  if (errno_value == EACCES || errno_value == EPERM || errno_value == EROFS) code = Code::kDenied;
  if (errno_value == EEXIST) code = Code::kConflict;
  Error error{code, std::string(what) + ": " + std::strerror(errno_value), {}, {}, {}};
  if (errno_value == ENOSPC || errno_value == EDQUOT) error.hint = "Free some space and repeat the command";
  return error;
}

}  // namespace davit
