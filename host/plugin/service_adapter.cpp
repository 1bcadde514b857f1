// davit.service/1 as a ServiceKind.
#include <fmt/format.h>

#include "plugin/adapters.hpp"

namespace davit {
namespace {

ServiceProgram& program_at(void* data) {
  return *static_cast<ServiceProgram*>(data);
}

davit_status on_argv(void* data, davit_strs argv) {
  return no_throw([&] {
    program_at(data).argv = copy(argv);
    return DAVIT_OK;
  });
}

davit_status on_env(void* data, davit_str key, davit_str value) {
  return no_throw([&] {
    program_at(data).env.insert_or_assign(copy(key), copy(value));
    return DAVIT_OK;
  });
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

davit_status on_file(void* data, davit_str name, davit_str bytes) {
  return no_throw([&] {
    if (!is_plain_name(view(name))) return DAVIT_INVALID;
    program_at(data).files.insert_or_assign(copy(name), copy(bytes));
    return DAVIT_OK;
  });
}

davit_status on_input(void* data, davit_str bytes) {
  return no_throw([&] {
    program_at(data).input = copy(bytes);
    return DAVIT_OK;
  });
}

davit_status on_ends_with(void* data, davit_str text) {
  return no_throw([&] {
    program_at(data).ends_with = copy(text);
    return DAVIT_OK;
  });
}

davit_service facts_struct(const ServiceFacts& facts) {
  davit_service service{};
  service.struct_size = sizeof service;
  service.flags = (facts.tty ? DAVIT_SERVICE_TTY : 0U) | (facts.filling ? DAVIT_SERVICE_FILLING : 0U);
  service.name = abi(facts.name);
  service.version = abi(facts.version);
  service.data = abi(facts.data);
  service.files = abi(facts.files);
  service.host = abi(facts.host);
  service.username = abi(facts.username);
  service.password = abi(facts.password.reveal());
  service.database = abi(facts.database);
  service.head = abi(facts.head);
  service.port = facts.port;
  service.image = abi(facts.image);
  service.certificate = abi(facts.certificate);
  service.private_key = abi(facts.private_key.reveal());
  return service;
}

}  // namespace

ServiceAdapter::ServiceAdapter(PluginInstance& instance, std::int64_t limit_ms)
    : table_(instance, DAVIT_SERVICE_ID,
             offsetof(davit_service_kind, program) + sizeof(davit_service_kind::program)),
      limit_ms_(limit_ms) {}

Result<TextMap> ServiceAdapter::describe(const CallContext& context) {
  if (facts_) return *facts_;
  TextMap facts;
  const davit_kv_sink sink = pairs_sink(facts);
  DAVIT_TRY(table_.call("davit.service/1.describe", limit_ms_, context,
                        [&](const davit_service_kind& table, auto* plugin, auto* call) {
                          return table.describe(plugin, call, &sink);
                        }));
  facts_ = facts;
  return facts;
}

Result<ServiceProgram> ServiceAdapter::program(ServiceProgramKind kind, const ServiceFacts& facts,
                                               const CallContext& context) {
  const davit_service in = facts_struct(facts);
  ServiceProgram program;
  const davit_program out{&program, on_argv, on_env, on_file, on_input, on_ends_with};
  DAVIT_TRY(table_.call("davit.service/1.program", limit_ms_, context,
                        [&](const davit_service_kind& table, auto* plugin, auto* call) {
                          const auto status =
                              table.program(plugin, call, static_cast<std::uint32_t>(kind), &in, &out);
                          return status == DAVIT_UNSUPPORTED ? DAVIT_OK : status;
                        }));
  const std::string& password = facts.password.reveal();
  for (const std::string& word : program.argv) {
    if (password.empty() || word.find(password) == std::string::npos) continue;
    return fail(Code::kInternal,
                fmt::format("plugin {} put a password on a command line, where everybody can read it", id()),
                "This is a mistake in the plugin: report it to its authors", "password-in-argv");
  }
  return program;
}

}  // namespace davit
