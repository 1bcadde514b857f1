// Errors and secrets.
#include "base/result.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <sstream>

#include "base/secret.hpp"

namespace davit {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail(Code::kInvalid, "odd", "give an even one", "odd");
  return number / 2;
}

Result<int> quarter(int number) {
  DAVIT_TRY_ASSIGN(const int once, half(number));
  DAVIT_TRY(half(once));
  return once / 2;
}

TEST(Result, TryPassesTheErrorOnAndTheValueThrough) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().slug, "odd");
  EXPECT_EQ(quarter(5).error().hint, "give an even one");
}

TEST(Result, ContextReadsFromTheOutside) {
  auto inner = fail(Error{Code::kFailed, "no space", {}, {}, {}}, "writing the file");
  const auto outer = fail(std::move(inner.value()), "building shop");
  EXPECT_EQ(outer.value().text(), "building shop: writing the file: no space");
}

TEST(Result, SystemErrorsKeepTheirKind) {
  EXPECT_EQ(system_error("open /x", ENOENT).code, Code::kNotFound);
  EXPECT_EQ(system_error("open /x", EACCES).code, Code::kDenied);
  EXPECT_EQ(system_error("open /x", EEXIST).code, Code::kConflict);
  EXPECT_EQ(system_error("write /x", ENOSPC).hint, "Free some space and repeat the command");
  EXPECT_EQ(system_error("open /x", EIO).code, Code::kUnavailable);
  EXPECT_EQ(system_error("open /x", EACCES).message, "open /x: Permission denied");
}

TEST(Result, EveryCodeHasAWord) {
  EXPECT_EQ(name_of(Code::kInvalid), "invalid");
  EXPECT_EQ(name_of(Code::kCancelled), "cancelled");
}

TEST(Secret, PrintsAsStars) {
  const Secret secret("hunter2");
  std::ostringstream stream;
  stream << secret;
  EXPECT_EQ(stream.str(), "***");
  EXPECT_EQ(fmt::format("{}", secret), "***");
  EXPECT_EQ(testing::PrintToString(secret), "***");
  EXPECT_EQ(secret.reveal(), "hunter2");
  EXPECT_EQ(secret, Secret("hunter2"));
}

}  // namespace
}  // namespace davit
