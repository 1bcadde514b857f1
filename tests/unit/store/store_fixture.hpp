// StoreTest: a real store in a folder of its own, with a clock that stands still.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>

#include "store/store.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/must.hpp"
#include "tests/temp_folder.hpp"

namespace davit {

class StoreTest : public testing::Test {
 protected:
  StoreTest() { reopen(StoreMode::kCreate); }

  void reopen(StoreMode mode) {
    store_.reset();
    store_.emplace(must(Store::open(file(), mode, clock_)));
  }
  [[nodiscard]] std::filesystem::path file() const { return folder_.path() / "davit.db"; }
  Store& store() { return *store_; }
  AppId app(const std::string& name) { return must(store().apps().create(name)).id; }

  test::TempFolder folder_;
  fakes::FakeClock clock_;
  std::optional<Store> store_;
};

}  // namespace davit
