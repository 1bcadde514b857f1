// Files that are not what their name says: refused by the note reader, or by the loader in the child, with
// the reason, and never by a crash of the caller.
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "plugin/conformance.hpp"
#include "tests/temp_folder.hpp"

namespace davit {
namespace {

using Level = ConformanceFinding::Level;
using testing::HasSubstr;

class HostileFile : public testing::Test {
 protected:
  void SetUp() override {
    std::ifstream file(std::filesystem::path(DAVIT_FIXTURES) / "fixture-good.so", std::ios::binary);
    good_.assign(std::istreambuf_iterator<char>(file), {});
    ASSERT_GT(good_.size(), sizeof(Elf64_Ehdr));
  }

  /// Checks a file with these bytes and returns the one problem.
  ConformanceFinding problem_of(const std::string& bytes) {
    const std::filesystem::path path = dir_ / "hostile.so";
    std::ofstream(path, std::ios::binary) << bytes;
    return problem_of_file(path);
  }
  static ConformanceFinding problem_of_file(const std::filesystem::path& path) {
    const ConformanceReport report = check_conformance(path);
    EXPECT_FALSE(report.passed());
    ConformanceFinding problem;
    int problems = 0;
    for (const ConformanceFinding& finding : report.findings) {
      if (finding.level != Level::kProblem) continue;
      problem = finding;
      ++problems;
    }
    EXPECT_EQ(problems, 1);
    return problem;
  }

  const test::TempFolder dir_;
  std::string good_;
};

std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(DAVIT_FIXTURES) / (name + ".so");
}

TEST_F(HostileFile, UnchangedItPasses) {
  std::ofstream(dir_ / "copy.so", std::ios::binary) << good_;
  EXPECT_TRUE(check_conformance(dir_ / "copy.so").passed());
}

TEST_F(HostileFile, MissingEmptyOrTextIsRefusedByTheNote) {
  EXPECT_EQ(problem_of_file(dir_ / "nothing.so").check, "note");
  EXPECT_EQ(problem_of("").check, "note");
  EXPECT_EQ(problem_of("#!/bin/sh\necho no plugin\n").check, "note");
  EXPECT_EQ(problem_of_file(dir_.path()).check, "note");  // a folder
}

TEST_F(HostileFile, TruncatedAnywhereIsRefusedAndKillsNobody) {
  // Behind the last loaded byte are only section headers, which nobody needs.
  Elf64_Ehdr header;
  std::memcpy(&header, good_.data(), sizeof(header));
  std::size_t needed = 0;
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::memcpy(&segment, good_.data() + header.e_phoff + i * sizeof(segment), sizeof(segment));
    if (segment.p_type == PT_LOAD)
      needed = std::max<std::size_t>(needed, segment.p_offset + segment.p_filesz);
  }
  ASSERT_GT(needed, 1000u);
  for (std::size_t keep = 1; keep < needed; keep += 1 + needed / 40) {
    const ConformanceFinding problem = problem_of(good_.substr(0, keep));
    EXPECT_NE(problem.check, "crash")
        << "kept " << keep << " of " << good_.size() << " bytes: " << problem.text;
    EXPECT_NE(problem.check, "hang") << keep;
    EXPECT_FALSE(problem.text.empty());
    if (HasFailure()) return;
  }
}

TEST_F(HostileFile, AnotherMachineOrClassIsRefusedByTheNote) {
  std::string other = good_;
  other[offsetof(Elf64_Ehdr, e_machine)] = static_cast<char>(EM_PPC64);
  EXPECT_EQ(problem_of(other).check, "note");
  other = good_;
  other[EI_CLASS] = ELFCLASS32;
  EXPECT_EQ(problem_of(other).check, "note");
  other = good_;
  other[EI_DATA] = ELFDATA2MSB;
  EXPECT_EQ(problem_of(other).check, "note");
}

TEST_F(HostileFile, WithoutANoteOrWithTwoItIsRefused) {
  EXPECT_EQ(problem_of_file(fixture("fixture-no-note")).check, "note");
  EXPECT_EQ(problem_of_file(fixture("fixture-two-notes")).check, "note");
}

TEST_F(HostileFile, ASymbolThatNobodyHasIsNamed) {
  const ConformanceFinding problem = problem_of_file(fixture("fixture-undefined-symbol"));
  EXPECT_EQ(problem.check, "load");
  EXPECT_THAT(problem.text, HasSubstr("davit_fixture_that_nobody_defines"));
}

}  // namespace
}  // namespace davit
