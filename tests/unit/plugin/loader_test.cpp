// Loading: what is refused before and after dlopen.
#include "plugin/loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "plugin/note_reader.hpp"
#include "plugin_home.hpp"

namespace davit {
namespace {

using ::testing::HasSubstr;

const LoadTrust kUs{::geteuid()};

class LoaderTest : public ::testing::Test {
 protected:
  Error refusal(const std::string& fixture) {
    const auto file = at_.install(fixture, fixture + ".so");
    const auto note = read_note(file);
    EXPECT_TRUE(note) << note.error().text();
    const auto loaded = load_plugin(file, *note, kUs);
    EXPECT_FALSE(loaded);
    return loaded ? Error{} : loaded.error();
  }
  PluginHome at_;
};

TEST_F(LoaderTest, LoadsAPluginWhoseDescriptorAgreesWithItsNote) {
  const auto file = at_.install("fixture", "fixture.so");
  const auto loaded = load_plugin(file, read_note(file).value(), kUs);
  ASSERT_TRUE(loaded) << loaded.error().text();
  EXPECT_EQ((*loaded)->abi_major, DAVIT_ABI_MAJOR);
}

TEST_F(LoaderTest, RefusesFilesThatOthersMayWriteOrOwn) {
  const auto file = at_.install("plain", "plain.so");
  ::chmod(file.c_str(), 0775);
  const auto writable = check_trust(file, kUs);
  ASSERT_FALSE(writable);
  EXPECT_EQ(writable.error().slug, "plugin-untrusted");
  EXPECT_THAT(writable.error().hint, HasSubstr("chmod go-w"));
  ::chmod(file.c_str(), 0755);
  EXPECT_TRUE(check_trust(file, kUs));
  EXPECT_FALSE(check_trust("relative.so", kUs));
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can give a file away";
  }
  ASSERT_EQ(::chown(file.c_str(), 4711, 4711), 0);
  EXPECT_THAT(check_trust(file, kUs).error().message, HasSubstr("belongs to uid 4711"));
  EXPECT_TRUE(check_trust(file, {4711}));
}

TEST_F(LoaderTest, DescriptorAndNoteMustAgree) {
  EXPECT_THAT(refusal("other_id").message,
              HasSubstr("its note says hostile 1.0.0, its descriptor another 1.0.0"));
  EXPECT_THAT(refusal("other_major").message, HasSubstr("its descriptor is of ABI 7, this davit has ABI 1."));
}

TEST_F(LoaderTest, TheLinkersWordsAreKept) {
  EXPECT_THAT(refusal("undefined").message, HasSubstr("nobody_has_this"));
  EXPECT_THAT(refusal("no_entry").message, HasSubstr("davit_plugin_v1"));
}

}  // namespace
}  // namespace davit
