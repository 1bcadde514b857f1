#include "spec.hpp"

#include <gtest/gtest.h>

#include "davit/failure.hpp"

namespace davit::buildstep {
namespace {

std::string refusal(std::string_view text) {
  try {
    parse_spec(text);
  } catch (const sdk::Failure& failure) {
    return failure.message();
  }
  return "accepted";
}

TEST(Spec, ShippedNamesWithAndWithoutPrefix) {
  for (const char* name : {"node", "davit/node"}) {
    const auto spec = parse_spec(name);
    EXPECT_EQ(spec.kind, SpecKind::kShipped);
    EXPECT_EQ(spec.location, "node");
    EXPECT_EQ(spec.label(), "davit/node");
  }
}

TEST(Spec, WellKnownNamesBecomeTheirRepositories) {
  EXPECT_EQ(parse_spec("heroku/nodejs").location, "https://github.com/heroku/heroku-buildpack-nodejs.git");
  EXPECT_EQ(parse_spec("heroku-community/apt").location,
            "https://github.com/heroku/heroku-buildpack-apt.git");
  EXPECT_EQ(parse_spec("heroku/jvm").location, "https://github.com/heroku/heroku-buildpack-jvm-common.git");
  EXPECT_EQ(parse_spec("dokku/multi#v2").ref, "v2");
  EXPECT_EQ(parse_spec("heroku/nodejs").label(), "heroku/nodejs");
}

TEST(Spec, CanonicalFormsAreWhatListsShow) {
  EXPECT_EQ(parse_spec("heroku/nodejs#v9").canonical(),
            "https://github.com/heroku/heroku-buildpack-nodejs.git#v9");
  EXPECT_EQ(parse_spec("node").canonical(), "davit/node");
  EXPECT_EQ(parse_spec("https://example.com/a#b").canonical(), "https://example.com/a#b");
  EXPECT_EQ(parse_spec("/srv/pack").canonical(), "/srv/pack");
  EXPECT_EQ(parse_spec("git@example.com:a/b.git").canonical(), "git@example.com:a/b.git");
}

TEST(Spec, GitUrlsWithReferences) {
  const auto spec = parse_spec("https://example.com/a/b.git#release/1.2");
  EXPECT_EQ(spec.kind, SpecKind::kGit);
  EXPECT_EQ(spec.location, "https://example.com/a/b.git");
  EXPECT_EQ(spec.ref, "release/1.2");
  EXPECT_EQ(parse_spec("git@example.com:a/b.git").kind, SpecKind::kGit);
  EXPECT_EQ(parse_spec("https://example.com/a/b").kind, SpecKind::kGit);
}

TEST(Spec, ArchivesAndPaths) {
  EXPECT_EQ(parse_spec("https://example.com/a.tgz").kind, SpecKind::kArchive);
  EXPECT_EQ(parse_spec("https://example.com/a.tar.gz?token=1").kind, SpecKind::kArchive);
  EXPECT_EQ(parse_spec("file:///srv/pack.tar").kind, SpecKind::kArchive);
  const auto local = parse_spec("file:///srv/pack/");
  EXPECT_EQ(local.kind, SpecKind::kLocal);
  EXPECT_EQ(local.location, "/srv/pack");
  EXPECT_EQ(parse_spec("/srv/pack#main").ref, "main");
}

TEST(Spec, CredentialsAreKeptApartAndNeverShown) {
  const auto spec = parse_spec("https://ada:s3cret@example.com/a.git#main");
  EXPECT_EQ(spec.location, "https://example.com/a.git");
  EXPECT_EQ(spec.user, "ada");
  EXPECT_EQ(spec.password, "s3cret");
  EXPECT_EQ(spec.label(), "https://***@example.com/a.git#main");
  EXPECT_EQ(spec.cache_name().find("s3cret"), std::string::npos);
  EXPECT_EQ(parse_spec("https://token@example.com/a.git").label(), "https://***@example.com/a.git");
}

TEST(Spec, AQueryMayBeATokenAndIsNeverShown) {
  const auto spec = parse_spec("https://example.com/a.tgz?token=s3cret");
  EXPECT_EQ(spec.location, "https://example.com/a.tgz?token=s3cret");
  EXPECT_EQ(spec.label(), "https://example.com/a.tgz?***");
  EXPECT_EQ(spec.canonical(), "https://example.com/a.tgz?token=s3cret");
  EXPECT_EQ(spec.cache_name().find("s3cret"), std::string::npos);
  EXPECT_NE(spec.cache_name(), parse_spec("https://example.com/a.tgz?token=other").cache_name());
  EXPECT_EQ(parse_spec("https://ada@example.com/a.git?x=1#main").label(),
            "https://***@example.com/a.git?***#main");
  EXPECT_EQ(parse_spec("/srv/what?/pack").label(), "/srv/what?/pack");
}

TEST(Spec, DifferentPlacesHaveDifferentCaches) {
  EXPECT_NE(parse_spec("https://example.com/a-b").cache_name(),
            parse_spec("https://example.com/a/b").cache_name());
  EXPECT_NE(parse_spec("https://a:1@example.com/a").cache_name(),
            parse_spec("https://a:2@example.com/a").cache_name());
  EXPECT_EQ(parse_spec("https://example.com/a#x").cache_name(),
            parse_spec("https://example.com/a#y").cache_name());
}

TEST(Spec, RefusesWhatNoProgramMaySee) {
  for (const char* text : {"",
                           "   ",
                           "-x",
                           "--upload-pack=evil",
                           "ext::sh -c evil",
                           "ext::sh",
                           "a b",
                           "nothing",
                           "../relative",
                           "./relative",
                           "https://",
                           "davit/nope",
                           "https://example.com/a#-evil",
                           "https://example.com/a#",
                           "https://example.com/a#a..b",
                           "https://example.com/a#x;y",
                           "file://relative",
                           "fd::17",
                           "https://example.com/a.tgz#main",
                           "node#v1",
                           "a/b/c"}) {
    EXPECT_NE(refusal(text), "accepted") << text;
  }
  EXPECT_NE(refusal(std::string("https://example.com/\nX")), "accepted");
  EXPECT_NE(refusal("https://example.com/" + std::string(3000, 'a')), "accepted");
}

TEST(Spec, ARefusalShowsNoCredentials) {
  for (const char* text :
       {"https://ada:s3cret@example.com/a.tgz#main", "https://ada:s3cret@example.com/a.git#x;y",
        "https://example.com/a.tgz?token=s3cret#main"})
    EXPECT_EQ(refusal(text).find("s3cret"), std::string::npos) << text;
}

}  // namespace
}  // namespace davit::buildstep
