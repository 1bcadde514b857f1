// The request of a build, and what its failures become.
#include "build.hpp"

#include <gmock/gmock.h>

namespace davit::dockerfile {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Key;
using testing::Not;
using testing::Pair;

BuildSpec spec_with(const std::string& options) {
  BuildSpec spec;
  spec.context.dockerfile = "docker/Dockerfile";
  spec.app = "shop";
  spec.home_id = "0123456789ab";
  spec.build_tag = "building-1";
  spec.network = "default";
  if (!options.empty())
    spec.options = docker::build_options(docker::parse_options(options, docker::Phase::kBuild));
  return spec;
}

docker::Json arguments_of(const docker::Query& query) {
  for (const auto& [key, value] : query) {
    if (key == "buildargs") return docker::Json::parse(value);
  }
  return nullptr;
}

sdk::Failure failed(const std::string& words, int status = 500) {
  return build_failure(
      docker::engine_refused(status, docker::Json{{"message", words}}.dump(), "POST /build"));
}

TEST(BuildQuery, SaysWhoseImageItIs) {
  const auto query = build_query(spec_with(""), {}, false);
  EXPECT_THAT(query, Contains(Pair("dockerfile", "docker/Dockerfile")));
  EXPECT_THAT(query, Contains(Pair("t", "davit-0123456789ab/app:building-1")));
  EXPECT_THAT(query, Contains(Pair("forcerm", "1")));
  EXPECT_THAT(query, Not(Contains(Key("version"))));
  EXPECT_THAT(query, Not(Contains(Key("networkmode"))));
  EXPECT_THAT(query, Contains(Pair("labels", HasSubstr("\"davit.home\":\"0123456789ab\""))));
  EXPECT_THAT(query, Contains(Pair("labels", HasSubstr("\"davit.owner\":\"shop\""))));
}

TEST(BuildQuery, TheConfigIsNoBuildArgumentUnlessItIsNamed) {
  const sdk::Pairs env{{"SECRET", "s3"}, {"NODE_ENV", "production"}};
  EXPECT_EQ(arguments_of(build_query(spec_with(""), env, false)), docker::Json::object());
  const auto said = arguments_of(
      build_query(spec_with("--build-arg A=1=2 --build-arg NODE_ENV --build-arg=MISSING"), env, false));
  EXPECT_EQ(said, (docker::Json{{"A", "1=2"}, {"NODE_ENV", "production"}}));
}

TEST(BuildQuery, OptionsOfThePhaseBuildAreParameters) {
  const auto query = build_query(
      spec_with(
          "--memory=64m --cpus=0.5 --target=prod --pull --no-cache --add-host db:10.0.0.1 --shm-size 1m"),
      {}, true);
  EXPECT_THAT(query, Contains(Pair("memory", "67108864")));
  EXPECT_THAT(query, Contains(Pair("memswap", "67108864")));
  EXPECT_THAT(query, Contains(Pair("cpuquota", "50000")));
  EXPECT_THAT(query, Contains(Pair("target", "prod")));
  EXPECT_THAT(query, Contains(Pair("pull", "1")));
  EXPECT_THAT(query, Contains(Pair("nocache", "1")));
  EXPECT_THAT(query, Contains(Pair("extrahosts", "db:10.0.0.1")));
  EXPECT_THAT(query, Contains(Pair("version", "2")));
}

TEST(BuildFailure, IsTheDockerfilesTheRegistrysOrTheEngines) {
  EXPECT_EQ(failed("The command '/bin/sh -c false' returned a non-zero code: 1").slug(), "dockerfile-failed");
  EXPECT_EQ(failed("dockerfile parse error line 2: unknown instruction: RUNN", 400).status(), DAVIT_FAILED);
  EXPECT_EQ(
      failed("pull access denied for x, repository does not exist or may require 'docker login'").status(),
      DAVIT_DENIED);
  EXPECT_EQ(failed("manifest for localhost:5000/x:1 not found: manifest unknown").status(), DAVIT_NOT_FOUND);
  EXPECT_EQ(failed("received unexpected HTTP status: 500 Internal Server Error").status(), DAVIT_UNAVAILABLE);
  EXPECT_THAT(failed("write /x: no space left on device").message(), HasSubstr("full"));
  EXPECT_EQ(build_failure(docker::cannot_connect("/run/none.sock", ENOENT)).slug(), "engine-down");
}

TEST(BuildFailure, OfAStepIsNotWhatItsCommandSpeaksOf) {
  for (
      const char* words :
      {R"(The command '/bin/sh -c echo "no such host"; exit 3' returned a non-zero code: 3)",
       R"(process "/bin/sh -c echo unauthorized; exit 3" did not complete successfully: exit code: 3)",
       R"(failed to solve: process "/bin/sh -c cat 'manifest unknown'" did not complete successfully: exit code: 1)",
       "failed to solve: executor failed running [/bin/sh -c echo unauthorized; exit 3]: exit code: 3",
       R"(building at STEP "RUN echo connection refused": while running runtime: exit status 1)",
       "The command '/bin/sh -c echo no space left on device; exit 1' returned a non-zero code: 1",
       "COPY failed: file not found in build context: stat unauthorized.html: file does not exist",
       "ADD failed: Get \"http://example.com/x\": dial tcp: lookup example.com: no such host",
       "dockerfile parse error line 2: unknown instruction: unauthorized"})
    EXPECT_EQ(failed(words).slug(), "dockerfile-failed") << words;
  EXPECT_EQ(
      failed(R"(process "/bin/sh -c make" did not complete successfully: no space left on device)").slug(),
      "engine-full");
  // As BuildKit and Podman tell of a base.
  EXPECT_EQ(failed(R"(x:1: failed to do request: Head "https://x/v2/": dial tcp: no such host)").slug(),
            "pull-failed");
  EXPECT_EQ(failed(R"(building at STEP "COPY --from=x/y /a /b": reading manifest: unauthorized)").slug(),
            "registry-denied");
}

TEST(Registries, AreFoundByTheImagesName) {
  EXPECT_EQ(docker::registry_of("nginx"), "docker.io");
  EXPECT_EQ(docker::registry_of("team/app:1"), "docker.io");
  EXPECT_EQ(docker::registry_of("localhost:5000/app"), "localhost:5000");
  EXPECT_EQ(docker::registry_of("registry.example.com/a/b@sha256:1"), "registry.example.com");
  EXPECT_EQ(docker::registry_of("sha256:abc"), "docker.io");
  EXPECT_EQ(docker::plain_server("https://Index.docker.io/v1/"), "docker.io");
  EXPECT_EQ(docker::plain_server("http://127.0.0.1:5000/"), "127.0.0.1:5000");
  for (const char* bad : {"", "https://", "a b", "x;y", "user@host"})
    EXPECT_THROW(docker::plain_server(bad), sdk::Failure) << bad;
}

}  // namespace
}  // namespace davit::dockerfile
