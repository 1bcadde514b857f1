// A folder and a store for the tests of the lifecycle's parts. Stories of the engine: tests/scenario.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>

#include "base/paths.hpp"
#include "store/store.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace davit {

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}
inline void must(const Result<>& result) {
  if (!result) throw std::runtime_error(result.error().text());
}

/// A home with a store and an app "shop"; gone after the test.
class HomeTest : public testing::Test {
 protected:
  HomeTest() {
    std::string name = (std::filesystem::temp_directory_path() / "davit-lifecycle-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    home = Home{name, std::filesystem::path(name) / "plugins.toml"};
    store_.emplace(must(Store::open(home.database(), StoreMode::kCreate, clock)));
    shop = must(store().apps().create("shop"));
  }
  ~HomeTest() override {
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(home.root, ignored);
  }
  Store& store() { return *store_; }
  static void write(const std::filesystem::path& file, const std::string& bytes) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << bytes;
  }
  static std::string read(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  fakes::FakeClock clock;
  Home home;
  App shop;

 private:
  std::optional<Store> store_;
};

}  // namespace davit
