// A throw-away home and installation, into which a test puts plugin files.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "base/paths.hpp"
#include "tests/temp_folder.hpp"

namespace davit {

class PluginHome {
 public:
  PluginHome() {
    home.root = folder_ / "home";
    home.plugins_toml = home.root / "plugins.toml";
    installation.prefix = folder_ / "prefix";
    std::filesystem::create_directories(home.run());
    std::filesystem::create_directories(installation.plugins());
  }

  /// A built fixture under another file name in the installation.
  std::filesystem::path install(const std::string& fixture, const std::string& as) const {
    const auto target = installation.plugins() / as;
    std::filesystem::copy_file(std::filesystem::path(DAVIT_FIXTURES) / (fixture + ".so"), target,
                               std::filesystem::copy_options::overwrite_existing);
    ::chmod(target.c_str(), 0755);
    return target;
  }
  std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    const auto target = installation.plugins() / name;
    std::ofstream(target, std::ios::binary) << bytes;
    ::chmod(target.c_str(), 0755);
    return target;
  }
  void configure(const std::string& text) const {
    std::ofstream(home.plugins_toml, std::ios::binary) << text;
  }
  static std::string bytes_of(const std::filesystem::path& file) {
    std::ostringstream bytes;
    bytes << std::ifstream(file, std::ios::binary).rdbuf();
    return bytes.str();
  }

  Home home;
  Installation installation;

 private:
  test::TempFolder folder_;
};

}  // namespace davit
