// davit-check: runs the conformance suite on one plugin file and prints what it found. A program of its own,
// because it loads the plugin: `davit plugin:check` starts it.
#include <cstdio>
#include <string_view>

#include "base/text.hpp"
#include "cli/json.hpp"
#include "plugin/conformance.hpp"

namespace {

using davit::ConformanceFinding;

std::string_view name_of(ConformanceFinding::Level level) {
  switch (level) {
    case ConformanceFinding::Level::kOk:
      return "ok";
    case ConformanceFinding::Level::kWarning:
      return "warning";
    case ConformanceFinding::Level::kProblem:
      return "problem";
  }
  return "problem";
}

void print_json(const davit::ConformanceReport& report) {
  std::vector<std::string> findings;
  for (const ConformanceFinding& finding : report.findings) {
    findings.push_back(davit::JsonObject()
                           .text("level", name_of(finding.level))
                           .text("check", finding.check)
                           .text("text", finding.text)
                           .str());
  }
  const std::string json = davit::JsonObject()
                               .text("id", report.id)
                               .text("version", report.version)
                               .boolean("passed", report.passed())
                               .raw("findings", davit::json_array(findings))
                               .str();
  std::printf("%s\n", json.c_str());
}

void print_text(const davit::ConformanceReport& report) {
  if (!report.id.empty()) std::printf("=====> %s %s\n", report.id.c_str(), report.version.c_str());
  for (const ConformanceFinding& finding : report.findings) {
    const std::string_view level = name_of(finding.level);
    std::FILE* stream = level == "problem" ? stderr : stdout;
    std::fprintf(stream, "%s%-8.*s %-12s %s\n", level == "problem" ? " !     " : "       ",
                 static_cast<int>(level.size()), level.data(), finding.check.c_str(), finding.text.c_str());
  }
  std::printf("-----> %s\n", report.passed() ? "The plugin keeps the rules" : "The plugin breaks the rules");
}

}  // namespace

int main(int argc, char** argv) {
  const bool json = argc > 2 && std::string_view(argv[2]) == "--json";
  if (argc < 2) {
    std::fprintf(stderr, "davit-check is started by `davit plugin:check FILE`\n");
    return 1;
  }
  const davit::ConformanceReport report = davit::check_conformance(argv[1]);
  if (json) {
    print_json(report);
  } else {
    print_text(report);
  }
  return report.passed() ? 0 : 1;
}
