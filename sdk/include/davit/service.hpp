/* davit.service/1 in C++: derive from ServiceKind beside Plugin, and say each program. */
#ifndef DAVIT_SERVICE_HPP
#define DAVIT_SERVICE_HPP

#include <cstdint>
#include <string>

#include "davit/call.hpp"
#include "davit/service.h"
#include "davit/values.hpp"

namespace davit::sdk {

/* The service that a program is for; paths are as the program will see them. */
struct Service {
  bool tty = false;
  bool filling = false; /* serve: need not sync, as long as it stops in good order */
  std::string name;
  std::string version;
  std::string data;
  std::string files;
  std::string host;
  std::string username;
  std::string password;
  std::string database;
  std::string head;                     /* load: how the stream begins */
  std::string image;                    /* empty: on the machine */
  std::string certificate, private_key; /* serve: PEM */
  uint32_t port = 0;
};

/* What is to be run; without argv: there is no such program. */
struct Program {
  Strings argv;
  Pairs env;
  Pairs files; /* name and bytes; 0600, in Service::files */
  std::string input;
  std::string ends_with; /* load: within the last 4 KiB of a whole stream */
};

inline Service copy(const davit_service& raw) {
  Service out;
  out.tty = (DAVIT_SDK_READ(&raw, davit_service, flags) & DAVIT_SERVICE_TTY) != 0;
  out.filling = (DAVIT_SDK_READ(&raw, davit_service, flags) & DAVIT_SERVICE_FILLING) != 0;
  out.name = copy(DAVIT_SDK_READ(&raw, davit_service, name));
  out.version = copy(DAVIT_SDK_READ(&raw, davit_service, version));
  out.data = copy(DAVIT_SDK_READ(&raw, davit_service, data));
  out.files = copy(DAVIT_SDK_READ(&raw, davit_service, files));
  out.host = copy(DAVIT_SDK_READ(&raw, davit_service, host));
  out.username = copy(DAVIT_SDK_READ(&raw, davit_service, username));
  out.password = copy(DAVIT_SDK_READ(&raw, davit_service, password));
  out.database = copy(DAVIT_SDK_READ(&raw, davit_service, database));
  out.head = copy(DAVIT_SDK_READ(&raw, davit_service, head));
  out.port = DAVIT_SDK_READ(&raw, davit_service, port);
  out.image = copy(DAVIT_SDK_READ(&raw, davit_service, image));
  out.certificate = copy(DAVIT_SDK_READ(&raw, davit_service, certificate));
  out.private_key = copy(DAVIT_SDK_READ(&raw, davit_service, private_key));
  return out;
}

class ServiceKind {
 public:
  virtual ~ServiceKind() = default;
  virtual Pairs describe_kind(const Call& call) = 0; /* keys: davit/service.h */
  virtual Program prepare(const Call&, const Service&) { return {}; }
  virtual Program serve(const Call& call, const Service& service) = 0;
  virtual Program probe(const Call& call, const Service& service) = 0;
  virtual Program setup(const Call&, const Service&) { return {}; }
  virtual Program dump(const Call& call, const Service& service) = 0;
  virtual Program load(const Call& call, const Service& service) = 0;
  virtual Program connect(const Call& call, const Service& service) = 0;
  virtual Program fingerprint(const Call& call, const Service& service) = 0;
};

namespace detail {

inline Program program_of(ServiceKind& kind, const Call& call, uint32_t what, const Service& service) {
  switch (what) {
    case DAVIT_SERVICE_PREPARE:
      return kind.prepare(call, service);
    case DAVIT_SERVICE_SERVE:
      return kind.serve(call, service);
    case DAVIT_SERVICE_PROBE:
      return kind.probe(call, service);
    case DAVIT_SERVICE_SETUP:
      return kind.setup(call, service);
    case DAVIT_SERVICE_DUMP:
      return kind.dump(call, service);
    case DAVIT_SERVICE_LOAD:
      return kind.load(call, service);
    case DAVIT_SERVICE_CONNECT:
      return kind.connect(call, service);
    case DAVIT_SERVICE_FINGERPRINT:
      return kind.fingerprint(call, service);
    default:
      return {};
  }
}

inline void write(const davit_program* out, const davit_call* call, const Program& program) {
  const StrArray argv(program.argv);
  check(call, out->argv(out->program_data, argv.get()));
  for (const auto& [key, value] : program.env) check(call, out->env(out->program_data, str(key), str(value)));
  for (const auto& [name, bytes] : program.files)
    check(call, out->file(out->program_data, str(name), str(bytes)));
  if (!program.input.empty()) check(call, out->input(out->program_data, str(program.input)));
  if (!program.ends_with.empty()) check(call, out->ends_with(out->program_data, str(program.ends_with)));
}

template <class P>
struct ServiceTable {
  static ServiceKind& self(davit_plugin* plugin) noexcept { return *reinterpret_cast<P*>(plugin); }

  static davit_status describe(davit_plugin* plugin, const davit_call* call,
                               const davit_kv_sink* sink) noexcept {
    return guard(call, [&] { put_all(sink, self(plugin).describe_kind(Call(call))); });
  }
  static davit_status program(davit_plugin* plugin, const davit_call* call, uint32_t what,
                              const davit_service* service, const davit_program* out) noexcept {
    return guard(call, [&] {
      const Program found = program_of(self(plugin), Call(call), what, copy(*service));
      if (found.argv.empty())
        throw Failure(DAVIT_UNSUPPORTED, "no-such-program", "this kind of service cannot do that");
      write(out, call, found);
    });
  }
  static const void* get() noexcept {
    static constexpr davit_service_kind table{sizeof(davit_service_kind), 0, &describe,
                                              &ServiceTable::program};
    return &table;
  }
};

}  // namespace detail
}  // namespace davit::sdk
#endif
