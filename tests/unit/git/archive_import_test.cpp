// Archives, good and bad, made by Python's tarfile and zipfile, which write whatever they are told to.
#include "git/archive_import.hpp"

#include <fcntl.h>

#include "tests/unit/git/git_fixture.hpp"

namespace davit {
namespace {

using ::testing::HasSubstr;

class ArchiveImport : public GitTest {
 protected:
  /// An archive with what `body` adds to it: file(name, bytes, mode=0o644), link(name, target),
  /// member(name, type, target).
  fs::path make(const std::string& kind, const std::string& body) {
    const fs::path archive = root / ("archive." + kind);
    const std::string python = R"(
import io, sys, tarfile, zipfile
kind, out = sys.argv[1:3]
if kind == "zip":
    archive = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED)
    def file(name, data=b"x", mode=0o644):
        info = zipfile.ZipInfo(name); info.external_attr = (0o100000 | mode) << 16; info.create_system = 3
        archive.writestr(info, data)
    def link(name, target):
        info = zipfile.ZipInfo(name); info.external_attr = 0o120777 << 16; info.create_system = 3
        archive.writestr(info, target)
else:
    archive = tarfile.open(out, "w:gz" if kind == "tar.gz" else "w", format=tarfile.PAX_FORMAT)
    def file(name, data=b"x", mode=0o644):
        info = tarfile.TarInfo(name); info.size = len(data); info.mode = mode
        archive.addfile(info, io.BytesIO(data))
    def member(name, type, target=""):
        info = tarfile.TarInfo(name); info.type = type; info.linkname = target
        archive.addfile(info)
    def link(name, target): member(name, tarfile.SYMTYPE, target)
)" + body + "\narchive.close()\n";
    Command command;
    command.argv = {"python3", "-c", python, kind, archive.string()};
    command.env = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"};
    command.err = OutputCapture{};
    const Exit exit = must(processes->run(command));
    EXPECT_TRUE(exit.ok()) << exit.err;
    return archive;
  }

  Result<std::string> import(const fs::path& archive, const std::string& type = {}) {
    const UniqueFd file(::open(archive.c_str(), O_RDONLY | O_CLOEXEC));
    const GitCommand git(*processes, home.repo("shop").string());
    return import_archive(git, *processes, SourceRules(*store, shop.id), file.get(), type, root, call);
  }
  std::string listing(const std::string& tree) { return bare({"ls-tree", "-r", tree}); }

  void expect_refused(const std::string& body, const std::string& words, const std::string& kind = "tar") {
    const auto tree = import(make(kind, body));
    ASSERT_FALSE(tree) << body;
    EXPECT_THAT(tree.error().text() + ". " + tree.error().hint, HasSubstr(words)) << body;
    EXPECT_FALSE(tree.error().hint.empty()) << body;
    EXPECT_EQ(bare({"for-each-ref"}), "");
  }
};

TEST_F(ArchiveImport, EveryKindGivesTheSameTree) {
  const std::string body =
      "file('Procfile', b'web: x\\n')\nfile('bin/run', b'#!', 0o755)\nlink('l', 'bin/run')\n"
      "file('caf\\u00e9 \\\"q\\\"', b'y')\n";
  const std::string tree = must(import(make("tar", body)));
  EXPECT_THAT(listing(tree), HasSubstr("100755 blob"));
  EXPECT_THAT(listing(tree), HasSubstr("120000 blob"));
  EXPECT_EQ(bare({"cat-file", "-p", tree + ":Procfile"}), "web: x");
  EXPECT_EQ(bare({"cat-file", "-p", tree + ":caf\xC3\xA9 \"q\""}), "y");
  EXPECT_EQ(must(import(make("tar.gz", body))), tree);
  EXPECT_EQ(must(import(make("zip", body))), tree);
  EXPECT_EQ(bare({"for-each-ref"}), "");
}

TEST_F(ArchiveImport, OneFolderAroundEverythingAndARepositoryAreLeftOut) {
  const std::string plain = must(import(make("tar", "file('a', b'1')\nfile('b/c', b'2')\n")));
  EXPECT_EQ(must(import(make("tar",
                             "file('app-1.0/a', b'1')\nfile('app-1.0/b/c', b'2')\n"
                             "file('app-1.0/.git/config', b'3')\n"))),
            plain);
  EXPECT_EQ(must(import(make("tar", "file('./a', b'1')\nfile('./b/c', b'2')\nfile('./.git/HEAD', b'3')\n"))),
            plain);
}

TEST_F(ArchiveImport, HardLinksAreTheFileTheyName) {
  const std::string tree =
      must(import(make("tar", "file('a', b'same')\nmember('b', tarfile.LNKTYPE, 'a')\nfile('z', b'')\n")));
  EXPECT_EQ(bare({"cat-file", "-p", tree + ":b"}), "same");
  EXPECT_EQ(bare({"cat-file", "-p", tree + ":z"}), "");
}

TEST_F(ArchiveImport, WhatLeadsOutOrIsNoFileIsRefused) {
  expect_refused("file('a/../../evil')", "leads out of it");
  expect_refused("file('/etc/passwd')", "absolute name");
  expect_refused("file('../evil')", "leads out of it", "zip");
  expect_refused("member('null', tarfile.CHRTYPE)", "special file");
  expect_refused("member('pipe', tarfile.FIFOTYPE)", "special file");
  expect_refused("file('a')\nmember('b', tarfile.LNKTYPE, '/etc/passwd')", "absolute name");
  expect_refused("file('a')\nmember('b', tarfile.LNKTYPE, 'nowhere')", "hard link");
  expect_refused("file('x')\nfile('lib/sub/.git/config')", ".git");
  expect_refused("member('empty', tarfile.DIRTYPE)", "no files");
}

TEST_F(ArchiveImport, ALinkThatLeadsOutIsFoundByTheSameRuleAsInAPush) {
  const std::string tree = must(import(make("tar", "file('a')\nlink('l', '/etc/passwd')\n")));
  EXPECT_THAT(listing(tree), HasSubstr("120000 blob"));  // the fetch phase refuses it: git_source_store_test
}

TEST_F(ArchiveImport, LimitsHoldWhileItIsRead) {
  must(store->properties().set(shop.id, "git", "max-tree-bytes", "100000"));
  expect_refused("for i in range(3): file(str(i), b'0' * 50000)", "max-tree-bytes", "tar.gz");
  must(store->properties().set(shop.id, "git", "max-blob-bytes", "1000"));
  expect_refused("file('big', b'0' * 1001)", "a file may have", "zip");
  must(store->properties().set(shop.id, "git", "max-files", "2"));
  expect_refused("for i in range(3): file(str(i))", "more than 2 files");
  expect_refused("for i in range(3): file('again')", "more than 2 files");
  expect_refused("file('a')\nfor i in range(2): member(str(i), tarfile.LNKTYPE, 'a')", "more than 2 files");
  expect_refused("file('a')\nfor i in range(3): member(str(i), tarfile.DIRTYPE)", "more than 2 folders");
  expect_refused("file('a')\nfor i in range(3): file('.git/' + str(i))", "more than 2 folders");
}

TEST_F(ArchiveImport, AHardLinkHasTheSizeOfItsFile) {
  must(store->properties().set(shop.id, "git", "max-tree-bytes", "100000"));
  expect_refused("file('a', b'0' * 50000)\nfor i in range(2): member(str(i), tarfile.LNKTYPE, 'a')",
                 "max-tree-bytes");
}

TEST_F(ArchiveImport, OtherBytesAreNamedAsWhatTheyAre) {
  const fs::path text = root / "text";
  std::ofstream(text) << std::string(2000, 'x');
  EXPECT_EQ(slug_of(import(text)), "archive-type");
  const fs::path zip = make("zip", "file('a')");
  const auto wrong = import(zip, "tar.gz");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "The archive is a zip, not a tar.gz");
  EXPECT_THAT(wrong.error().hint, HasSubstr("--archive-type zip"));
  const fs::path tar = make("tar.gz", "import os\nfile('a', os.urandom(100000))");
  fs::resize_file(tar, 50'000);
  EXPECT_EQ(slug_of(import(tar)), "archive-broken");
}

}  // namespace
}  // namespace davit
