// The record of all routes on disk: one file per app, so that a change costs the same with ten apps and with
// a thousand. nginx reads the directory when it starts (share/lua/davit/boot.lua); while it runs, the control
// socket is told as well. Not the live table.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model.hpp"

namespace davit::nginx {

class RouteStore {
 public:
  explicit RouteStore(std::filesystem::path directory) : directory_(std::move(directory)) {}

  void put(const Route& route) const;  // durable when it returns
  std::optional<Route> get(const std::string& app) const;
  void remove(const std::string& app) const;  // idempotent
  std::vector<std::string> names() const;     // sorted

 private:
  std::filesystem::path path_of(const std::string& app) const { return directory_ / (app + ".json"); }

  std::filesystem::path directory_;
};

}  // namespace davit::nginx
