// StoreTest: a real store in a folder of its own, with a clock that stands still.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "store/store.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace davit {

/// A folder that is gone after the test.
class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "davit-store-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The value of a result that a test takes for granted; the error's text otherwise.
template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}
inline void must(const Result<>& result) {
  if (!result) throw std::runtime_error(result.error().text());
}

template <typename T>
std::string slug_of(const Result<T>& result) {
  return result ? "no error" : result.error().slug;
}

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

  TempFolder folder_;
  fakes::FakeClock clock_;
  std::optional<Store> store_;
};

}  // namespace davit
