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
    format = tarfile.GNU_FORMAT if kind == "gnu.tar" else tarfile.PAX_FORMAT
    archive = tarfile.open(out, "w:gz" if kind == "tar.gz" else "w", format=format)
    def file(name, data=b"x", mode=0o644):
        info = tarfile.TarInfo(name); info.size = len(data); info.mode = mode
        archive.addfile(info, io.BytesIO(data))
    def member(name, type, target=""):
        info = tarfile.TarInfo(name); info.type = type; info.linkname = target
        archive.addfile(info)
    def link(name, target): member(name, tarfile.SYMTYPE, target)
)" + body + "\narchive.close()\n";
    run({"python3", "-c", python, kind, archive.string()});
    return archive;
  }

  /// A file of the bytes that a Python expression gives.
  fs::path make_of(const std::string& expression) {
    const fs::path file = root / "made";
    run({"python3", "-c", "import gzip, sys\nopen(sys.argv[1], 'wb').write(" + expression + ")",
         file.string()});
    return file;
  }

  void run(std::vector<std::string> argv) {
    Command command;
    command.argv = std::move(argv);
    command.env = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"};
    command.err = OutputCapture{};
    const Exit exit = must(processes->run(command));
    EXPECT_TRUE(exit.ok()) << exit.err;
  }

  Result<std::string> import(const fs::path& archive, const std::string& type = {}) {
    const UniqueFd file(::open(archive.c_str(), O_RDONLY | O_CLOEXEC));
    const GitCommand git(*processes, home.repo("shop").string());
    return import_archive(git, *processes, SourceRules(*store, shop.id),
                          Installation{DAVIT_BUILD_DIR}.libexec("davit-archive"), file.get(), type, root,
                          call);
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

TEST_F(ArchiveImport, LongNamesAreWholeInEveryKind) {
  const std::string deep = std::string(90, 'd') + "/" + std::string(90, 'e') + "/" + std::string(120, 'f');
  const std::string body = "file('" + deep + "', b'y', 0o755)\nlink('l', '" + deep + "')\n";
  const std::string tree = must(import(make("tar", body)));
  EXPECT_EQ(bare({"cat-file", "-p", tree + ":" + deep}), "y");
  EXPECT_EQ(bare({"cat-file", "-p", tree + ":l"}), deep);
  for (const char* kind : {"tar.gz", "gnu.tar", "zip"})
    EXPECT_EQ(must(import(make(kind, body))), tree) << kind;
}

TEST_F(ArchiveImport, HolesOfAFileAreZeros) {
  std::ofstream(root / "holes").seekp(300'000).write("end", 3);
  for (const char* format : {"gnu", "posix"}) {
    const fs::path tar = root / "holes.tgz";
    run({"tar", "-C", root.string(), "--sparse", std::string("--format=") + format, "-czf", tar.string(),
         "holes"});
    const std::string tree = must(import(tar));
    EXPECT_EQ(bare({"rev-parse", tree + ":holes"}), bare({"hash-object", (root / "holes").string()}))
        << format;
  }
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
  EXPECT_EQ(slug_of(import(make_of("gzip.compress(b'x' * 999)[:-9]"))), "archive-broken");
  const fs::path cut = make("zip", "import os\nfile('a', os.urandom(100000))");
  fs::resize_file(cut, 50'000);
  EXPECT_EQ(slug_of(import(cut)), "archive-broken");
}

// libarchive knows more: an mtree has no content, it names files of this machine.
TEST_F(ArchiveImport, NoOtherFormIsReadNeitherPlainNorInAGzip) {
  fs::permissions(root, fs::perms(0755));
  std::ofstream(root / "private") << "s3cret";
  const std::string mtree =
      R"(b'#mtree\n./index.html type=file mode=0644 contents=)" + (root / "private").string() + R"(\n')";
  const std::string like_tar = R"(b'#mtree\n#'.ljust(257) + b'ustar\n')" + mtree + " + b'#' * 999";
  const std::string cpio = R"(b''.join(
      b'070701' + b'%08x' * 13 % (1, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, len(name) + 1, 0) +
      name + bytes(1 + -(len(name) + 111) % 4) + bytes(size)
      for name, mode, size in [(b'a', 0o100644, 4), (b'TRAILER!!!', 0, 0)]))";
  const std::string seven_zip = R"(b'7z\xbc\xaf\x27\x1c\0\4'.ljust(600, b'\0'))";
  for (const std::string& other : {mtree, like_tar, cpio, seven_zip}) {
    EXPECT_EQ(slug_of(import(make_of(other))), "archive-type") << other;
    EXPECT_EQ(slug_of(import(make_of("gzip.compress(" + other + ")"))), "archive-type") << other;
  }
  const fs::path tar = make("tar", "file('a')"), zip = make("zip", "file('a')");
  const auto bytes_of = [](const fs::path& file) { return "open('" + file.string() + "', 'rb').read()"; };
  EXPECT_TRUE(import(make_of("gzip.compress(" + bytes_of(tar) + ")")));
  EXPECT_EQ(slug_of(import(make_of("gzip.compress(gzip.compress(" + bytes_of(tar) + "))"))), "archive-type");
  EXPECT_EQ(slug_of(import(make_of("gzip.compress(" + bytes_of(zip) + ")"))), "archive-type");
}

}  // namespace
}  // namespace davit
