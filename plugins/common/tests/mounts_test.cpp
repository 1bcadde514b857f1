// Which mounts every runtime refuses.
#include "mounts/mounts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "davit/failure.hpp"

namespace davit::mounts {
namespace {

constexpr const char* kOwn = "/run/davit";

std::string refusal(const sdk::Mount& mount) {
  try {
    check_mounts({{"/tmp", "/data", 0}, mount}, kOwn);
  } catch (const sdk::Failure& failure) {
    return failure.slug();
  }
  return "";
}

TEST(Mounts, NoneHidesDavitsOwnPrograms) {
  EXPECT_NO_THROW(check_mounts(
      {{"/tmp", "/run/davit-services/20001", 0}, {"/tmp", "/run/x", 0}, {"/tmp", "/var/run/x.sock", 0}},
      kOwn));
  for (const char* target : {"/run", "/run/davit", "/run/davit/x", "/", "/var/run", "/var/run/davit"}) {
    EXPECT_EQ(refusal({"/tmp", target, 0}), "mount") << target;
  }
}

TEST(Mounts, PathsAreAbsoluteAndPlain) {
  for (const char* target : {"", "data", "/run/", "/run/.", "//run", "/a/../run", "/data/"}) {
    EXPECT_EQ(refusal({"/tmp", target, 0}), "mount") << target;
  }
  EXPECT_EQ(refusal({"tmp", "/data/x", 0}), "mount");
}

TEST(Mounts, TheSourceIsThere) {
  EXPECT_EQ(refusal({"/tmp/not/there", "/data/x", 0}), "mount-source");
}

}  // namespace
}  // namespace davit::mounts
