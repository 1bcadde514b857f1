// nginx's log files: kept small, moved and removed with their app, and read from a place on. What shows them
// to users is in log_reader.hpp.
#pragma once

#include <cstdint>
#include <string>

#include "model.hpp"

namespace davit::nginx {

constexpr std::uintmax_t kLargestLog = 32 * 1024 * 1024;  // as in share/lua/davit/logs.lua; two are kept

// What has grown enough becomes NAME.1. Access logs are left to nginx where it has its lua module.
void bound_logs(const Settings& settings, std::uintmax_t largest = kLargestLog);

// As the older file of the other app, if it has none yet; else they are removed.
void move_logs(const Settings& settings, const std::string& from, const std::string& to);
// But not those that an operator has given a name, which may be of several apps.
void remove_logs(const Settings& settings, const std::string& app);

// nginx's own log, from now on.
class LogSince {
 public:
  explicit LogSince(const Settings& settings);
  // The first MiB of what has been written since.
  std::string text() const;

 private:
  std::string path_;
  std::uintmax_t from_;
};

}  // namespace davit::nginx
