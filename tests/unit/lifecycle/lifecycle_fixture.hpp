// A folder and a store for the tests of the lifecycle's parts. Stories of the engine: tests/scenario.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "base/paths.hpp"
#include "store/store.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/must.hpp"
#include "tests/temp_folder.hpp"

namespace davit {

/// A home with a store and an app "shop"; gone after the test.
class HomeTest : public testing::Test {
 protected:
  HomeTest() {
    store_.emplace(must(Store::open(home.database(), StoreMode::kCreate, clock)));
    shop = must(store().apps().create("shop"));
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

  const test::TempFolder folder;
  fakes::FakeClock clock;
  Home home{folder.path(), folder / "plugins.toml"};
  App shop;

 private:
  std::optional<Store> store_;
};

}  // namespace davit
