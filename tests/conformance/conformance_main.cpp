// conformance_check FILE...: the conformance suite as a program, for tests that build plugins as a third
// party does. Prints each finding; exit code 1 if a plugin has a problem.
#include <cstdio>
#include <string>

#include "plugin/conformance.hpp"

int main(int argc, char** argv) {
  bool passed = argc > 1;
  for (int i = 1; i < argc; ++i) {
    const davit::ConformanceReport report = davit::check_conformance(argv[i]);
    std::printf("%s: %s\n", argv[i], report.passed() ? "passed" : "FAILED");
    for (const davit::ConformanceFinding& finding : report.findings) {
      static constexpr const char* kWords[] = {"ok", "warning", "problem"};
      std::printf("  %s %s: %s\n", kWords[static_cast<int>(finding.level)], finding.check.c_str(),
                  finding.text.c_str());
    }
    passed = passed && report.passed();
  }
  return passed ? 0 : 1;
}
