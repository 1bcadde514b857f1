// Who apps run as.
#include "plugin/app_user.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <string>

namespace davit {
namespace {

constexpr uid_t kAppUid = 61234;  // no account has it: nothing else on the machine belongs to it

}  // namespace

Result<std::optional<RunAs>> app_user_of(std::string_view configured) {
  if (geteuid() != 0) return std::optional<RunAs>{};
  if (configured.empty()) return std::optional<RunAs>{RunAs{kAppUid, kAppUid, {}}};
  uid_t uid = 0;
  const auto [end, error] = std::from_chars(configured.data(), configured.data() + configured.size(), uid);
  if (error == std::errc{} && end == configured.data() + configured.size() && uid != 0) {
    return std::optional<RunAs>{RunAs{uid, uid, {}}};
  }
  const passwd* account = getpwnam(std::string(configured).c_str());
  if (account == nullptr || account->pw_uid == 0) {
    return fail(Code::kInvalid,
                fmt::format("[host] app_user: there is no account {} (root is refused)", configured),
                "Name an account or a uid other than 0 in plugins.toml", "app-user-invalid");
  }
  return std::optional<RunAs>{RunAs{account->pw_uid, account->pw_gid, {}}};
}

}  // namespace davit
