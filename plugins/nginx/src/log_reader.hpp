// Shows nginx's logs to users: the last lines, and what comes after if asked to follow.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "davit/call.hpp"
#include "engine.hpp"
#include "model.hpp"

namespace davit::nginx {

struct LogSource {
  std::string path;
  std::function<bool(const std::string& line)> wanted;  // empty: every line
};

LogSource access_log(const Engine& engine, const std::string& app);
// The app's own error log; for an app in the shared block, the lines of nginx's log that name one of its
// hosts. An empty app: everything.
LogSource error_log(const Engine& engine, const std::string& app);

// `lines`: of the past, 0 is all. Follows until the call is cancelled.
void show_log(const sdk::Call& call, const LogSource& source, std::size_t lines, bool follow);

std::size_t lines_wanted(const std::optional<std::string>& flag, std::size_t fallback);

}  // namespace davit::nginx
