// What is read of a Dockerfile.
#include "dockerfile_text.hpp"

#include <gmock/gmock.h>

#include "davit/failure.hpp"

namespace davit::dockerfile {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string buildkit_word(const std::string& lines) {
  return read_dockerfile("FROM a\n" + lines).needs_buildkit;
}

TEST(DockerfileText, BasesAreThoseThatComeFromOutside) {
  const auto text = read_dockerfile(
      "# a comment\n"
      "FROM --platform=linux/amd64 golang:1.22 AS Build\r\n"
      "RUN go build\n"
      "from build as tested\n"
      "FROM \\\n  # within\n  registry.example.com:5000/base@sha256:abc\n"
      "FROM scratch\n"
      "FROM golang:1.22\n"
      "COPY --from=build /app /app");
  EXPECT_THAT(text.bases, ElementsAre("golang:1.22", "registry.example.com:5000/base@sha256:abc"));
  EXPECT_EQ(text.needs_buildkit, "");
}

TEST(DockerfileText, TheLastStageStandsOnSomething) {
  EXPECT_EQ(read_dockerfile("FROM a AS one\nFROM b\nFROM ONE AS two\nFROM two").final_base, "a");
  EXPECT_EQ(read_dockerfile("FROM a\nFROM scratch").final_base, "");
  EXPECT_EQ(read_dockerfile("ARG BASE=x\nFROM ${BASE}").final_base, "");
}

TEST(DockerfileText, AFileWithoutFromIsRefused) {
  EXPECT_THROW(read_dockerfile(""), sdk::Failure);
  EXPECT_THROW(read_dockerfile("RUN true\n# FROM x\n"), sdk::Failure);
}

TEST(DockerfileText, WhatOnlyBuildKitUnderstandsIsSeen) {
  EXPECT_EQ(buildkit_word("RUN --mount=type=cache,target=/root/.cache make"), "RUN --mount");
  EXPECT_EQ(buildkit_word("COPY --chown=1:1 --link a b"), "COPY --link");
  EXPECT_EQ(buildkit_word("RUN <<EOF\nmake\nEOF"), "RUN <<");
  EXPECT_EQ(buildkit_word("COPY --chown=1:1 --from=x a b\nRUN make --mount\nRUN a << b\nENV A=<<x"), "");
  EXPECT_EQ(read_dockerfile("# syntax=docker/dockerfile:1\nFROM a").needs_buildkit,
            "# syntax=docker/dockerfile:1");
  EXPECT_EQ(read_dockerfile("FROM a\n# syntax=docker/dockerfile:1\n").needs_buildkit, "");
}

TEST(DockerfileText, AHeredocHoldsNoInstructions) {
  for (const char* begin : {"RUN python3 <<EOF", "RUN python3 3<<-EOF", "RUN <<'EOF' cat",
                            "COPY <<\"EOF\" /x", "ONBUILD RUN <<EOF", "RUN <<EOF \\\n  cat"}) {
    const auto text = read_dockerfile("FROM a\n" + std::string(begin) +
                                      "\nfrom os import path\n\n# no comment\nRUN --mount x\nEOF\nFROM b\n");
    EXPECT_THAT(text.bases, ElementsAre("a", "b")) << begin;
    EXPECT_EQ(text.final_base, "b") << begin;
  }
  EXPECT_THAT(read_dockerfile("FROM a\nRUN <<ONE cat <<-TWO\nFROM x\nONE\nFROM y\n\tTWO\nFROM b").bases,
              ElementsAre("a", "b"));
}

TEST(DockerfileText, WhatOnlyLooksLikeAHeredocHidesNothing) {
  for (const char* line : {"RUN echo '<<EOF'", "RUN echo \"a <<EOF\"", "RUN cat <<<EOF", "ENV A=<<EOF",
                           "LABEL x <<EOF", "RUN cat<<EOF", "RUN <<END", "RUN [\"x\", \"<<EOF\"]"}) {
    EXPECT_THAT(read_dockerfile("FROM a\n" + std::string(line) + "\nFROM b\nEOF\n").bases,
                ElementsAre("a", "b"))
        << line;
  }
}

TEST(DockerfileText, TheEscapeCharacterMayBeAnother) {
  EXPECT_THAT(read_dockerfile("# escape=`\nFROM `\na\nRUN dir c:\\\nFROM b").bases, ElementsAre("a", "b"));
}

TEST(DockerfileText, StagesAreFoundInAnySpelling) {
  EXPECT_THAT(read_dockerfile("FROM scratch AS Base\nFROM BASE\nCMD x").bases, IsEmpty());
}

TEST(DockerfileText, WhatGitFromImageWritesIsOneLine) {
  EXPECT_TRUE(is_from_alone("FROM registry.example.com:5000/team/app@sha256:abc\n"));
  for (const char* text : {"", "FROM \n", "FROM a", "from a\n", "FROM a\nCMD x\n", "FROM a AS b\n",
                           "FROM a\n\n", "FROM a\r\n", "# a\nFROM a\n", "FROM $A\n"})
    EXPECT_FALSE(is_from_alone(text)) << text;
}

}  // namespace
}  // namespace davit::dockerfile
