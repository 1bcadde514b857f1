// The davit_host of one plugin: which tables it may have.
#include "plugin/host_core.hpp"

#include "plugin/host_interfaces.hpp"

namespace davit {

HostSide::HostSide(const CatalogEntry& entry, HostCore& core)
    : entry_(entry),
      core_(core),
      abi_{sizeof(davit_host), DAVIT_ABI_MINOR, this, davit::abi(core.services.version), get_interface} {}

const void* HostSide::get_interface(const davit_host* host, davit_str id) {
  const std::string_view wanted = view(id);
  // What the note does not name is not given: the note is what an operator and `plugin:info` see.
  if (!of(host).entry().note.may_use(wanted)) return nullptr;
  for (const auto& serve_from : {basic_service, store_service, process_service, supervise_service})
    if (const void* table = serve_from(wanted)) return table;
  return nullptr;
}

Result<> accepted(davit_status sink_status) {
  if (sink_status == DAVIT_OK) return {};
  return fail(code_of(sink_status), "The receiver of the result refused it", {}, "sink-refused");
}

}  // namespace davit
