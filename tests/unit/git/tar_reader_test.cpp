// The reader on what tar makes, cut anywhere, and on what nobody should make.
#include "git/tar_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "process/process_runner.hpp"

namespace davit {
namespace {

using ::testing::ElementsAre;

std::string bytes_of(const std::string& script) {
  Command command;
  command.argv = {"/bin/sh", "-ec", "d=$(mktemp -d); cd \"$d\"; " + script + "; rm -rf \"$d\""};
  command.env = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"};
  command.out = OutputCapture{8 * 1024 * 1024};
  const auto exit = make_process_runner()->run(command);
  EXPECT_TRUE(exit && exit->ok());
  return exit ? exit->out : std::string();
}

struct Reading {
  std::vector<std::string> seen;
  Result<> result;
};

Reading read(std::string_view archive, std::size_t piece) {
  Reading reading;
  TarReader reader(
      [&](const TarEntry& entry) -> Result<> {
        reading.seen.push_back(std::to_string(static_cast<int>(entry.kind)) + " " + entry.path +
                               (entry.target.empty() ? "" : " -> " + entry.target) + " ");
        return {};
      },
      [&](std::string_view bytes) -> Result<> {
        reading.seen.back() += bytes;
        return {};
      });
  for (std::size_t at = 0; at < archive.size() && reading.result; at += piece)
    reading.result = reader.feed(archive.substr(at, piece));
  if (reading.result) reading.result = reader.finish();
  return reading;
}

TEST(TarReader, ReadsEntriesHoweverTheyAreCut) {
  const std::string name(150, 'n');
  const std::string archive = bytes_of("mkdir a; printf hello >a/f; ln -s ../x a/l; ln a/f a/h; printf y >" +
                                       name + "; tar --format=gnu -cf - a/f a/l a/h " + name);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{512}, archive.size()}) {
    const Reading reading = read(archive, piece);
    ASSERT_TRUE(reading.result) << reading.result.error().text();
    EXPECT_THAT(reading.seen,
                ElementsAre("0 a/f hello", "2 a/l -> ../x ", "3 a/h -> a/f ", "0 " + name + " y"));
  }
}

TEST(TarReader, WhatIsCutShortOrDamagedIsRefused) {
  std::string archive = bytes_of("printf hello >f; tar --format=gnu -cf - f");
  EXPECT_FALSE(read(std::string_view(archive).substr(0, 515), 100).result);
  EXPECT_FALSE(read(std::string_view(archive).substr(0, 300), 100).result);
  archive[3] ^= 1;
  const Reading damaged = read(archive, 100);
  ASSERT_FALSE(damaged.result);
  EXPECT_EQ(damaged.result.error().slug, "archive-broken");
}

TEST(TarReader, ACallbacksErrorEndsIt) {
  const std::string archive = bytes_of("printf hello >f; tar --format=gnu -cf - f");
  TarReader reader([](const TarEntry&) -> Result<> { return fail(Code::kInvalid, "no"); },
                   [](std::string_view) -> Result<> { return {}; });
  EXPECT_FALSE(reader.feed(archive));
}

}  // namespace
}  // namespace davit
