// Objects of a push outlive its quarantine.
#include "git/quarantine.hpp"

#include <sys/stat.h>

#include <chrono>

#include "tests/unit/git/git_fixture.hpp"

namespace davit {
namespace {

class Quarantine : public GitTest {
 protected:
  fs::path objects() { return home.repo("shop") / "objects"; }
  fs::path quarantine() { return objects() / "tmp_objdir-incoming-AbCdEf"; }
  void put(const std::string& path, const std::string& bytes) {
    const auto file = quarantine() / path;
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << bytes;
  }
};

TEST_F(Quarantine, LooseObjectsAndPacksComeOver) {
  put("ab/cdef", "loose");
  put("pack/pack-1.pack", "pack");
  put("pack/pack-1.rev", "rev");
  put("pack/pack-1.idx", "index");
  must(adopt_objects(quarantine(), objects()));
  fs::remove_all(quarantine());
  EXPECT_EQ(read(objects() / "ab/cdef"), "loose");
  EXPECT_EQ(read(objects() / "pack/pack-1.pack"), "pack");
  EXPECT_EQ(read(objects() / "pack/pack-1.rev"), "rev");
  EXPECT_EQ(read(objects() / "pack/pack-1.idx"), "index");
}

TEST_F(Quarantine, WhatIsThereAlreadyStays) {
  fs::create_directories(objects() / "ab");
  std::ofstream(objects() / "ab/cdef") << "first";
  put("ab/cdef", "again");
  must(adopt_objects(quarantine(), objects()));
  must(adopt_objects(quarantine(), objects()));
  EXPECT_EQ(read(objects() / "ab/cdef"), "first");
}

TEST_F(Quarantine, MarksAndHalfFilesStayBehind) {
  put("pack/pack-1.keep", "receive-pack 1 on here");
  put("pack/tmp_pack_xyz", "half");
  put("ab/tmp_obj_xyz", "half");
  must(adopt_objects(quarantine(), objects()));
  EXPECT_FALSE(fs::exists(objects() / "pack/pack-1.keep")) << "it would keep the pack for ever";
  EXPECT_FALSE(fs::exists(objects() / "pack/tmp_pack_xyz"));
  EXPECT_FALSE(fs::exists(objects() / "ab/tmp_obj_xyz"));
}

TEST_F(Quarantine, AFolderThatIsNotThereIsAnError) {
  EXPECT_FALSE(adopt_objects(root / "nothing", objects()));
}

TEST_F(Quarantine, OnlyOldOnesAreSwept) {
  put("ab/cdef", "young");
  const auto old = objects() / "incoming-old";
  fs::create_directories(old / "ab");
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(25));
  fs::create_directories(objects() / "pack");
  fs::last_write_time(objects() / "pack", fs::file_time_type::clock::now() - std::chrono::hours(1000));
  sweep_quarantines(objects());
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(quarantine() / "ab/cdef"));
  EXPECT_TRUE(fs::exists(objects() / "pack"));
  sweep_quarantines(root / "nothing");
}

}  // namespace
}  // namespace davit
