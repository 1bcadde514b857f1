// The buildpacks that davit ships, on the example apps and on what newcomers get wrong.
#include <gmock/gmock.h>

#include "davit/failure.hpp"
#include "files.hpp"
#include "support.hpp"

namespace davit::buildstep {
namespace fs = std::filesystem;
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Pair = std::pair<std::string, std::string>;

class Shipped : public testing_support::BuildTest {
 protected:
  void example(const std::string& name) {
    fs::remove_all(root_ / "src");
    copy_tree(fs::path(DAVIT_SOURCE_DIR) / "examples/apps" / name, root_ / "src");
  }
  fs::path unpack(const BuildOutcome& outcome) {
    const fs::path folder = root_ / ("slug" + std::to_string(++unpacked_));
    fs::create_directory(folder);
    EXPECT_EQ(sh({"tar", "-C", folder.string(), "-xf", outcome.slug.file.string()}), 0) << said_;
    return folder;
  }
  /// A wheel made by hand, so that pip has something to install without an index.
  void put_wheel() {
    put("wheel.py",
        "import sys, zipfile\n"
        "with zipfile.ZipFile(sys.argv[1], 'w') as z:\n"
        "    z.writestr('greeter/__init__.py', 'def main():\\n    print(\"hi\")\\n')\n"
        "    info = 'greeter-1.0.dist-info/'\n"
        "    z.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: greeter\\nVersion: 1.0\\n')\n"
        "    z.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: "
        "py3-none-any\\n')\n"
        "    z.writestr(info + 'entry_points.txt', '[console_scripts]\\ngreet = greeter:main\\n')\n"
        "    z.writestr(info + 'RECORD', '')\n");
    fs::create_directories(root_ / "src/wheels");
    ASSERT_EQ(sh({"/usr/bin/python3", (root_ / "wheel.py").string(),
                  (root_ / "src/wheels/greeter-1.0-py3-none-any.whl").string()}),
              0)
        << said_;
  }
  int unpacked_ = 0;
};

TEST_F(Shipped, Procfile) {
  example("procfile");
  const auto outcome = build();
  EXPECT_EQ(outcome.description, "davit/procfile");
  EXPECT_EQ(outcome.process_types.at(0).first, "web");
}

TEST_F(Shipped, StaticSiteIsServedByNginx) {
  example("static");
  const auto outcome = build();
  EXPECT_THAT(outcome.process_types, ElementsAre(Pair{"web", "bash .davit-static/start"}));
  const fs::path slug = unpack(outcome);
  const std::string conf = get(slug / ".davit-static/nginx.conf");
  EXPECT_THAT(conf, HasSubstr("try_files $uri $uri.html $uri/index.html =404;"));
  EXPECT_THAT(conf, HasSubstr("error_page 404 /404.html;"));
  EXPECT_THAT(conf, Not(HasSubstr("@ROOT@")));
}

TEST_F(Shipped, StaticRefusesWhatWouldBreakTheConfiguration) {
  put("src/index.html", "x");
  for (const char* json : {"{\"root\": \"../..\"}", "{\"root\": \"a;}\"}", "{\"error_page\": \"$x\"}", "[1]",
                           "{", "{\"clean_urls\": \"yes\"}", "{\"root\": \"missing\"}"}) {
    put("src/static.json", json);
    EXPECT_THAT(failure(), HasSubstr("buildpack-compile-failed")) << json;
  }
}

TEST_F(Shipped, StaticPrefersPublic) {
  put("src/public/index.html", "x");
  EXPECT_THAT(get(unpack(build()) / ".davit-static/nginx.conf"), HasSubstr("/public;"));
}

TEST_F(Shipped, NodeInstallsBuildsAndStarts) {
  example("node");
  const auto outcome = build();
  EXPECT_EQ(outcome.description, "davit/node");
  EXPECT_THAT(outcome.process_types, ElementsAre(Pair{"web", "npm start"}));
  EXPECT_THAT(screen_.text, HasSubstr("-----> Installing dependencies with npm ci\n"));
  const fs::path slug = unpack(outcome);
  EXPECT_TRUE(fs::exists(slug / "node_modules/greeter/index.js"));
  EXPECT_TRUE(fs::exists(slug / "dist/built.json"));
}

TEST_F(Shipped, NodeWithoutDependenciesRunsNoNpm) {
  put("src/package.json", "{\"main\": \"it's.js\"}");
  put("src/it's.js", "");
  const auto outcome = build();
  EXPECT_THAT(screen_.text, HasSubstr("       no dependencies\n"));
  EXPECT_THAT(outcome.process_types, ElementsAre(Pair{"web", "node 'it'\\''s.js'"}));
}

TEST_F(Shipped, NodeSaysWhatIsWrongWithPackageJson) {
  put("src/package.json", "{\"name\": ");
  EXPECT_THAT(failure(), HasSubstr("buildpack-compile-failed"));
  EXPECT_THAT(screen_.text, HasSubstr(" !     package.json"));
}

TEST_F(Shipped, PythonWithNothingToInstallRunsNoPip) {
  example("python");
  const auto outcome = build();
  EXPECT_THAT(screen_.text, HasSubstr("requirements.txt asks for nothing to be installed"));
  EXPECT_THAT(screen_.text, Not(HasSubstr("pip")));
  EXPECT_TRUE(fs::is_symlink(unpack(outcome) / ".venv/bin/python3"));
  EXPECT_THAT(outcome.process_types, ElementsAre(Pair{"web", "python server.py"}));
}

TEST_F(Shipped, PythonInstallsOnceAndRestoresAfterwards) {
  put_wheel();
  put("src/requirements.txt", "--no-index\n--find-links wheels\ngreeter==1.0  # pinned\n");
  put("src/Procfile", "web: greet");
  const fs::path first = unpack(build());
  EXPECT_THAT(screen_.text, HasSubstr("Successfully installed greeter-1.0"));
  screen_.text.clear();
  const fs::path second = unpack(build());
  EXPECT_THAT(screen_.text, HasSubstr("-----> Restoring the packages (requirements.txt is unchanged)\n"));
  EXPECT_TRUE(fs::exists(first / ".venv/bin/greet"));
  EXPECT_TRUE(fs::exists(second / ".venv/bin/greet"));
}

TEST_F(Shipped, PythonKnowsPyprojectAndPipfile) {
  put("src/pyproject.toml", "[project]\nname = \"x\"\nversion = \"1\"\n");
  put("src/app.py", "");
  EXPECT_THAT(build().process_types, ElementsAre(Pair{"web", "python app.py"}));
  EXPECT_THAT(screen_.text, HasSubstr("pyproject.toml asks for nothing"));
  fs::remove(root_ / "src/pyproject.toml");
  put("src/Pipfile", "[packages]\n");
  build();
  EXPECT_THAT(screen_.text, HasSubstr("Pipfile asks for nothing"));
}

TEST_F(Shipped, PythonSaysWhatIsWrong) {
  put("src/pyproject.toml", "[tool.poetry.dependencies]\npython = \"^3\"\nflask = \"*\"\n");
  EXPECT_THAT(failure(), HasSubstr("buildpack-compile-failed"));
  EXPECT_THAT(screen_.text, HasSubstr(" !     pyproject.toml names its dependencies for Poetry"));
  put("src/pyproject.toml", "not toml");
  EXPECT_THAT(failure(), HasSubstr("buildpack-compile-failed"));
  put("src/requirements.txt", "-r missing.txt\n");
  EXPECT_THAT(failure(), HasSubstr("buildpack-compile-failed"));
  EXPECT_THAT(screen_.text, HasSubstr("includes missing.txt, which does not exist"));
}

TEST_F(Shipped, SeveralInOrder) {
  example("multi");
  const auto outcome = build();
  EXPECT_EQ(outcome.description, "davit/node, davit/static");
  const fs::path slug = unpack(outcome);
  EXPECT_TRUE(fs::exists(slug / "dist/index.html"));
  EXPECT_THAT(get(slug / ".davit-static/nginx.conf"), HasSubstr("/dist;"));
}

TEST_F(Shipped, EveryExampleBuilds) {
  for (const auto& entry : fs::directory_iterator(fs::path(DAVIT_SOURCE_DIR) / "examples/apps")) {
    if (!entry.is_directory() || fs::exists(entry.path() / "Dockerfile"))
      continue;  // that is another plugin's
    example(entry.path().filename().string());
    const auto outcome = build();
    EXPECT_FALSE(outcome.process_types.empty()) << entry.path();
  }
}

}  // namespace
}  // namespace davit::buildstep
