// What the suite asks of davit.service/1: facts, and each program for a made-up service. Nothing is run.
#include <string>

#include "davit/service.h"
#include "plugin/abi_text.hpp"
#include "plugin/conformance_suite.hpp"

namespace davit {
namespace {

constexpr std::string_view kPassword = "conformance7password";

struct SeenProgram {
  std::vector<std::string> argv;
  TextMap files;

  davit_program sink() {
    return {this,
            [](void* self, davit_strs argv) {
              static_cast<SeenProgram*>(self)->argv = copy(argv);
              return DAVIT_OK;
            },
            [](void*, davit_str, davit_str) { return DAVIT_OK; },
            [](void* self, davit_str name, davit_str bytes) {
              static_cast<SeenProgram*>(self)->files[copy(name)] = copy(bytes);
              return DAVIT_OK;
            },
            [](void*, davit_str) { return DAVIT_OK; },
            [](void*, davit_str) { return DAVIT_OK; }};
  }
};

davit_service made_up(const TextMap& facts) {
  davit_service service{};
  const auto fact = [&](std::string_view key) {
    const auto found = facts.find(key);
    return found == facts.end() ? std::string_view() : std::string_view(found->second);
  };
  const std::string_view versions = fact("versions");
  service.struct_size = sizeof service;
  service.name = abi("conformance");
  service.version = abi(versions.substr(versions.rfind(' ') + 1));
  service.data = abi("/data");
  service.files = abi("/files");
  service.host = abi("127.0.0.1");
  service.port = 20'000;
  service.username = abi(fact("username"));
  service.password = abi(kPassword);
  service.database = abi(fact("database"));
  return service;
}

bool may_be_none(std::uint32_t what) {
  return what == DAVIT_SERVICE_PREPARE || what == DAVIT_SERVICE_SETUP;
}

}  // namespace

void ConformanceSuite::check_service(davit_plugin* plugin, const void* table) {
  check_functions(DAVIT_SERVICE_ID, table, 2);
  const auto& kind = *static_cast<const davit_service_kind*>(table);
  if (kind.struct_size < sizeof kind || kind.describe == nullptr || kind.program == nullptr) return;
  TextMap facts;
  const davit_kv_sink pairs = pairs_sink(facts);
  davit_status described = DAVIT_OK;
  expect_ok("davit.service/1 describe()", [&](const davit_call* call) {
    described = kind.describe(plugin, call, &pairs);
    return described;
  });
  if (described != DAVIT_OK) return;
  if (facts["scheme"].empty()) report_.problem("interfaces", "davit.service/1 describe() gives no scheme");
  if (facts["versions"].empty()) {
    report_.warning("interfaces", "davit.service/1: no version can be served here: " + facts["missing"]);
    return;
  }
  const davit_service service = made_up(facts);
  for (std::uint32_t what = DAVIT_SERVICE_PREPARE; what <= DAVIT_SERVICE_FINGERPRINT; ++what) {
    const std::string name = "davit.service/1 program(" + std::to_string(what) + ")";
    SeenProgram first, second;
    const davit_program out = first.sink(), again = second.sink();
    const davit_status status = invoke(
        name, [&](const davit_call* call) { return kind.program(plugin, call, what, &service, &out); });
    if (status == DAVIT_UNSUPPORTED && may_be_none(what)) continue;
    if (status != DAVIT_OK || first.argv.empty()) {
      report_.problem("interfaces", name + " gives no program");
      continue;
    }
    for (const std::string& word : first.argv) {
      if (word.find(kPassword) != std::string::npos)
        report_.problem("secrets", name + " has the password in its argv, where everybody can read it");
    }
    (void)invoke(name,
                 [&](const davit_call* call) { return kind.program(plugin, call, what, &service, &again); });
    if (first.argv != second.argv || first.files != second.files)
      report_.problem("interfaces", name + " is another one when it is asked for again");
  }
  SeenProgram none;
  const davit_program out = none.sink();
  const davit_status unknown = invoke("davit.service/1 program(9999)", [&](const davit_call* call) {
    return kind.program(plugin, call, 9999, &service, &out);
  });
  if (unknown == DAVIT_OK)
    report_.problem("interfaces", "davit.service/1 program() knows a program that is none");
}

}  // namespace davit
