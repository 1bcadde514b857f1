// Whole builds with buildpacks made for each question: the real driver, git, tar and bash. The numbers in the
// names are the points of the list "what a faithful runner does" in the plugin's README.
#include "build.hpp"

#include <gmock/gmock.h>

#include "davit/failure.hpp"
#include "support.hpp"

namespace davit::buildstep {
namespace fs = std::filesystem;
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Pair = std::pair<std::string, std::string>;

class Build : public testing_support::BuildTest {
 protected:
  /// The app's list of buildpacks, by the names that put_pack() got.
  void use(const sdk::Strings& names) {
    config_.listed.clear();
    for (const std::string& name : names) config_.listed.push_back((root_ / name).string());
  }
  /// Unpacks the slug and reads one of its files.
  std::string in_slug(const BuildOutcome& outcome, const std::string& name) {
    fs::create_directories(root_ / "unpacked");
    EXPECT_EQ(sh({"tar", "-C", (root_ / "unpacked").string(), "-xf", outcome.slug.file.string()}), 0)
        << said_;
    return get(root_ / "unpacked" / name);
  }
};

TEST_F(Build, P1_DetectCompileReleaseInThisOrder) {
  put_pack("p", "echo d >>\"$1/order\"; echo Thing", "echo c >>\"$1/order\"",
           "echo r >>\"$1/order\"; echo '--- {}'");
  use({"p"});
  EXPECT_EQ(in_slug(build(), "order"), "d\nc\nr\n");
  EXPECT_THAT(screen_.text, HasSubstr("-----> Thing app detected\n"));
}

TEST_F(Build, P2_CompileRunsInTheBuildpacksRootWithItsThreeFolders) {
  put_pack("p", "echo x",
           "cat data >\"$1/data\"; echo \"$#\" >\"$1/count\"; touch \"$2/c\"; ls \"$3\" >\"$1/env\"");
  put("p/data", "next to bin");
  env_ = {{"NAME", "value"}};
  use({"p"});
  const auto outcome = build();
  EXPECT_EQ(in_slug(outcome, "data"), "next to bin");
  EXPECT_EQ(in_slug(outcome, "count"), "3\n");
  EXPECT_EQ(in_slug(outcome, "env"), "NAME\n");
}

TEST_F(Build, P4_EachBuildHasAFreshWritableCopy) {
  put_pack("p", "echo x", "[ -e mark ] && exit 9; touch mark");
  use({"p"});
  build();
  build();
  EXPECT_FALSE(fs::exists(root_ / "p/mark"));
}

TEST_F(Build, P6_P7_P10_TheEnvironment) {
  put_pack("p", "echo x",
           "echo \"$HOME $APP_DIR\" >\"$1/home\"; [ \"$HOME\" != \"$1\" ] && touch \"$HOME/w\"\n"
           "echo \"$STACK $SOURCE_VERSION $REQUEST_ID ${GIT_DIR-unset}\" >\"$1/facts\"\n"
           "readlink /proc/self/fd/0 >\"$1/stdin\"; env >\"$1/env\"");
  env_ = {{"SECRET", "s3cret"}, {"CURL_TIMEOUT", "99"}};
  use({"p"});
  const auto outcome = build();
  EXPECT_EQ(in_slug(outcome, "facts"), "heroku-22 0123456789012345678901234567890123456789 d1 unset\n");
  EXPECT_EQ(in_slug(outcome, "stdin"), "/dev/null\n");
  EXPECT_THAT(in_slug(outcome, "env"), Not(HasSubstr("s3cret")));
  EXPECT_THAT(in_slug(outcome, "env"), HasSubstr("CURL_TIMEOUT=99"));
  EXPECT_EQ(sandbox_.last.env.at(1), (Pair{"HOME", "/app"}));
}

TEST_F(Build, P8_EnvDirHasExactBytes) {
  put_pack("p", "echo x", "od -An -tx1 \"$3/ODD\" >\"$1/odd\"");
  env_ = {{"ODD", "a\nb\n"}};
  use({"p"});
  EXPECT_EQ(in_slug(build(), "odd"), " 61 0a 62 0a\n");
}

TEST_F(Build, P9_TheCacheSurvivesAFailedBuild) {
  put_pack("p", "echo x",
           "if [ -e \"$2/seen\" ]; then cat \"$2/seen\"; else echo kept >\"$2/seen\"; exit 3; fi");
  use({"p"});
  EXPECT_THAT(failure(), HasSubstr("exit code 3"));
  build();
  EXPECT_THAT(screen_.text, HasSubstr("       kept\n"));
}

TEST_F(Build, P12_ExportsReachTheNextBuildpackAndTheLastReleaseWins) {
  put_pack("one", "echo one", "echo 'export FROM_ONE=yes' >export",
           "printf -- '---\\ndefault_process_types:\\n  web: one\\n'");
  put_pack("two", "echo two", "echo \"$FROM_ONE\" >\"$1/seen\"",
           "printf -- '---\\ndefault_process_types:\\n  web: two\\nconfig_vars:\\n  A: b\\n'");
  use({"one", "two"});
  const auto outcome = build();
  EXPECT_EQ(in_slug(outcome, "seen"), "yes\n");
  EXPECT_THAT(outcome.process_types, ElementsAre(Pair{"web", "two"}));
  EXPECT_THAT(outcome.config_defaults, ElementsAre(Pair{"A", "b"}));
  EXPECT_THAT(screen_.text, HasSubstr("=====> Buildpack 2 of 2: "));
}

TEST_F(Build, P12_AnExportCannotBreakTheDriver) {
  put_pack("one", "echo one",
           "printf 'set -u\\nn=9; dirs=(); script=/x; exit() { :; }\\nexport PATH=/nowhere\\n' >export");
  put_pack("two", "echo two", "/bin/true");
  put("two/bin/compile", "#!/bin/bash\necho \"PATH is $PATH\"\n");
  put("two/bin/detect", "#!/bin/bash\necho two\n");
  put("src/Procfile", "web: a");
  use({"one", "two"});
  build();
  EXPECT_THAT(screen_.text, HasSubstr("PATH is /nowhere"));
}

TEST_F(Build, P13_AFailureKeepsItsCodeAndItsOutput) {
  put_pack("p", "echo x", "echo '       why it failed'; exit 42");
  use({"p"});
  EXPECT_THAT(failure(), HasSubstr("buildpack-compile-failed: Buildpack " + (root_ / "p").string() +
                                   " failed in bin/compile with exit code 42"));
  EXPECT_THAT(screen_.text, HasSubstr("       why it failed\n"));
}

TEST_F(Build, P13_DetectThatSaysNoEndsAnExplicitList) {
  put_pack("p", "echo 'not for me'; exit 1", "echo x");
  use({"p"});
  EXPECT_THAT(failure(), HasSubstr("buildpack-detect-failed: App not compatible with buildpack: "));
  EXPECT_THAT(screen_.text, HasSubstr("       not for me\n"));
}

TEST_F(Build, AFailingReleaseEndsTheBuild) {
  put_pack("p", "echo x", "true", "echo half; exit 5");
  use({"p"});
  EXPECT_THAT(failure(), HasSubstr("buildpack-release-failed"));
}

TEST_F(Build, ASignalIsNamed) {
  put_pack("p", "echo x", "kill -KILL $$");
  use({"p"});
  EXPECT_THAT(failure(), HasSubstr("exit code 137 (ended by signal 9, perhaps for lack of memory)"));
}

TEST_F(Build, P14_BuildpacksFileInTheApp) {
  put_pack("p", "echo x", "touch \"$1/made\"");
  put("src/.buildpacks", "# ours\r\nfile://" + (root_ / "p").string() + "\r\n");
  const auto outcome = build();
  in_slug(outcome, "made");
  EXPECT_TRUE(fs::exists(root_ / "unpacked/made"));
  EXPECT_EQ(outcome.description, "file://" + (root_ / "p").string());
}

TEST_F(Build, P14_AVariableOfTheApp) {
  put_pack("p", "echo x", "true");
  env_ = {{"BUILDPACK_URL", (root_ / "p").string()}};
  put("src/.buildpacks", "heroku/nope\n");
  EXPECT_EQ(build().description, (root_ / "p").string());
}

TEST_F(Build, ALinkAsBuildpacksFileMustNotLeadOut) {
  put("secret", "s3cret");
  fs::create_symlink(root_ / "secret", root_ / "src/.buildpacks");
  EXPECT_THAT(failure(), HasSubstr("leads out of the app"));
}

TEST_F(Build, P15_TheFirstMatchWinsAndAWarningNamesTheOthers) {
  put_pack("a", "exit 1", "true");
  put_pack("b", "echo b", "touch \"$1/by-b\"");
  put_pack("c", "echo c", "touch \"$1/by-c\"");
  config_.detection_order = {(root_ / "a").string(), (root_ / "b").string(), (root_ / "c").string(),
                             "davit/procfile"};
  put("src/Procfile", "web: x");
  const auto outcome = build();
  in_slug(outcome, "x");
  EXPECT_TRUE(fs::exists(root_ / "unpacked/by-b"));
  EXPECT_FALSE(fs::exists(root_ / "unpacked/by-c"));
  EXPECT_THAT(screen_.text, HasSubstr(" !     Several buildpacks fit: using " + (root_ / "b").string() +
                                      ", not " + (root_ / "c").string() + "\n"));
  EXPECT_EQ(outcome.description, (root_ / "b").string());
}

TEST_F(Build, P15_NothingFits) {
  put("src/readme", "hello");
  EXPECT_EQ(failure(), "no-buildpack: No buildpack fits this app");
  EXPECT_THAT(screen_.text, HasSubstr("       davit/static\n"));
}

TEST_F(Build, P16_P17_TheProcfileIsReadAfterCompile) {
  put_pack("p", "echo x", "printf 'web: written\\nworker: too' >\"$1/Procfile\"",
           "printf 'default_process_types:\\n  web: default\\n'");
  use({"p"});
  EXPECT_THAT(build().process_types, ElementsAre(Pair{"web", "written"}, Pair{"worker", "too"}));
}

TEST_F(Build, P18_ABadProcfileEndsTheBuildWithItsLine) {
  put_pack("p", "echo x", "true");
  put("src/Procfile", "web: a\r\nnonsense\r\n");
  use({"p"});
  EXPECT_EQ(failure(), "procfile-invalid: Procfile, line 2: `nonsense` has no colon");
}

TEST_F(Build, P21_TheWholeTreeIsTheSlug) {
  put_pack("p", "echo x", "mkdir \"$1/made\"; ln -s made \"$1/link\"");
  put("src/.env.example", "dot");
  put("src/bin/tool", "x", 0755);
  fs::create_directory(root_ / "src/empty");
  use({"p"});
  in_slug(build(), "x");
  EXPECT_TRUE(fs::exists(root_ / "unpacked/.env.example"));
  EXPECT_TRUE(fs::is_directory(root_ / "unpacked/empty"));
  EXPECT_TRUE(fs::is_symlink(root_ / "unpacked/link"));
  EXPECT_EQ(fs::status(root_ / "unpacked/bin/tool").permissions(), fs::perms(0755));
}

TEST_F(Build, P22_HooksOfTheAppAreTheBuildpacksAffair) {
  put_pack("p", "echo x", "true");
  put("src/bin/pre_compile", "#!/bin/sh\ntouch ran\n", 0755);
  use({"p"});
  in_slug(build(), "x");
  EXPECT_FALSE(fs::exists(root_ / "unpacked/ran"));
}

// On the embedded runtime the image is this machine: scripts/install-deps has them.
TEST_F(Build, P23_BuildpacksFindTheProgramsTheyCall) {
  put_pack(
      "p", "echo x",
      "for name in bash curl git jq tar xz zstd gzip python3 perl shasum ruby erb gcc make; do\n"
      "  command -v \"$name\" >/dev/null || echo \"$name\" >>\"$1/missing\"\ndone\n"
      "[ -s /etc/ssl/certs/ca-certificates.crt ] || echo a CA bundle >>\"$1/missing\"\ntouch \"$1/missing\"");
  use({"p"});
  EXPECT_EQ(in_slug(build(), "missing"), "");
}

TEST_F(Build, TheSameTreeGivesTheSameSlug) {
  put("src/Procfile", "web: x");
  const std::string first = get(build().slug.file);
  EXPECT_EQ(get(build().slug.file), first);
}

TEST_F(Build, AProgramInTheBinFolderStandsBeforeTheImagesOwn) {
  EXPECT_THAT(sandbox_.last.env, testing::IsEmpty());
  put("src/Procfile", "web: x");
  build();
  EXPECT_THAT(sandbox_.last.env.at(0).second, testing::StartsWith("/davit/bin:"));
}

TEST_F(Build, AReportThatTheBuildpackForgedIsNotFollowed) {
  put("secret", "default_process_types: {web: s3cret}");
  put_pack("p", "echo x", "ln -sf " + (root_ / "secret").string() + " ${1%/source}/result/release.0");
  use({"p"});
  EXPECT_THAT(failure(), HasSubstr("symbolic link"));
}

class TimedOut : public Sandbox {
 public:
  int run(const sdk::Task& task) override {
    task.out("waiting for the network");
    throw sdk::HostFailure(DAVIT_TIMEOUT, "the task took too long");
  }
};

TEST_F(Build, AHangingBuildIsStoppedAndSaysSo) {
  put("src/Procfile", "web: x");
  fs::create_directory(root_ / "work");
  config_.limits.time_ms = 60000;
  StoreConfig store_config;
  store_config.shipped = root_ / "share/buildpacks";
  store_config.state = root_ / "state";
  BuildpackStore store(programs_, screen_, store_config);
  TimedOut sandbox;
  sdk::Build request;
  request.source_dir = (root_ / "src").string();
  request.cache_dir = (root_ / "cache").string();
  request.work_dir = (root_ / "work").string();
  try {
    BuildRun(config_, store, sandbox, programs_, screen_).run(request);
    FAIL() << "succeeded";
  } catch (const sdk::Failure& failure) {
    EXPECT_EQ(failure.slug(), "build-timeout");
    EXPECT_THAT(failure.message(), HasSubstr("60 s"));
    EXPECT_THAT(screen_.text, HasSubstr("waiting for the network"));
  }
}

}  // namespace
}  // namespace davit::buildstep
