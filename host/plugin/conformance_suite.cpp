// Load, descriptor, two lives of an instance. What is asked of each interface is in
// conformance_interfaces.cpp.
#include "plugin/conformance_suite.hpp"

#include <dlfcn.h>
#include <sys/stat.h>

#include <array>
#include <cstddef>

namespace davit {
namespace {

/// What the first release had: a table or descriptor may be longer, never shorter.
constexpr std::size_t kDescriptorBytes =
    offsetof(davit_plugin_descriptor, get_interface) + sizeof(davit_plugin_descriptor::get_interface);

constexpr std::array<std::string_view, 7> kKnownInterfaces = {
    "davit.service/1",  "davit.builder/1", "davit.runtime/1", "davit.proxy/1",
    "davit.commands/1", "davit.hooks/1",   "davit.doctor/1"};

std::string status_text(davit_status status) {
  static constexpr std::array kNames = {"OK",        "INVALID",  "NOT_FOUND",   "CONFLICT",
                                        "DENIED",    "FAILED",   "UNAVAILABLE", "TIMEOUT",
                                        "CANCELLED", "INTERNAL", "UNSUPPORTED"};
  if (status >= 0 && static_cast<std::size_t>(status) < kNames.size())
    return kNames[static_cast<std::size_t>(status)];
  return "status " + std::to_string(status);
}

}  // namespace

ConformanceSuite::ConformanceSuite(const PluginNote& note, const std::string& scratch,
                                   ConformanceReporter& reporter, int stray_output_fd)
    : note_(note),
      scratch_(scratch),
      report_(reporter),
      host_(note, scratch),
      stray_output_fd_(stray_output_fd) {}

void ConformanceSuite::run(const std::filesystem::path& file) {
  const Entry entry = load(file);
  if (entry == nullptr) return;
  report_.begin("davit_plugin_v1()");
  const davit_plugin_descriptor* descriptor = entry();
  if (!check_descriptor(descriptor)) return;
  if (entry() != descriptor)
    report_.problem("descriptor", "davit_plugin_v1() answers differently the second time");
  check_silence("davit_plugin_v1()");

  const ProcessState before = ProcessState::now();
  live_once(*descriptor);
  live_once(*descriptor);  // nothing of the first life may stand in the way of a second
  const std::vector<std::string> changes = settled_state(before.threads).changes_since(before);
  for (const std::string& change : changes) report_.problem("process", change);
  if (changes.empty())
    report_.ok("process", "left nothing behind: no thread, no descriptor, no changed process state");
}

ConformanceSuite::Entry ConformanceSuite::load(const std::filesystem::path& file) {
  report_.begin("loading the file");
  const ProcessState before = ProcessState::now();
  // The loader's flags. Not the loader itself: it refuses what this suite must look into and name.
  void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = ::dlerror();
    report_.problem("load", why == nullptr ? "cannot be loaded" : why);
    return nullptr;
  }
  void* symbol = ::dlsym(library, DAVIT_PLUGIN_ENTRY_NAME);
  if (symbol == nullptr) {
    report_.problem("load", "does not export " DAVIT_PLUGIN_ENTRY_NAME);
    return nullptr;
  }
  for (const std::string& change : settled_state(before.threads).changes_since(before)) {
    report_.problem("load", "something happens at load time: " + change);
  }
  check_silence("loading");
  report_.ok("load", "loads with RTLD_NOW | RTLD_LOCAL");
  return reinterpret_cast<Entry>(symbol);
}

bool ConformanceSuite::check_descriptor(const davit_plugin_descriptor* descriptor) {
  if (descriptor == nullptr) {
    report_.problem("descriptor", "davit_plugin_v1() returned NULL");
    return false;
  }
  if (descriptor->struct_size < kDescriptorBytes) {
    report_.problem("descriptor", "struct_size is " + std::to_string(descriptor->struct_size) +
                                      ", less than the " + std::to_string(kDescriptorBytes) +
                                      " of the first release");
    return false;
  }
  if (descriptor->abi_major != DAVIT_ABI_MAJOR) {
    report_.problem("descriptor", "was built for ABI major " + std::to_string(descriptor->abi_major) +
                                      ", this davit has " + std::to_string(DAVIT_ABI_MAJOR));
    return false;
  }
  bool good = true;
  const auto agree = [&](const char* what, std::string_view mine, std::string_view noted) {
    if (mine == noted) return;
    good = false;
    report_.problem("descriptor", std::string("the ") + what + " is \"" + std::string(mine) +
                                      "\" in the descriptor and \"" + std::string(noted) + "\" in the note");
  };
  agree("id", conformance_view(descriptor->id), note_.id);
  agree("version", conformance_view(descriptor->version), note_.version);
  agree("ABI", std::to_string(descriptor->abi_major) + "." + std::to_string(descriptor->abi_minor),
        note_.abi);
  if (descriptor->create == nullptr || descriptor->start == nullptr || descriptor->stop == nullptr ||
      descriptor->destroy == nullptr || descriptor->get_interface == nullptr) {
    report_.problem("descriptor", "create, start, stop, destroy or get_interface is NULL");
    return false;
  }
  if (good)
    report_.ok("descriptor",
               "agrees with the note: " + note_.id + " " + note_.version + ", ABI " + note_.abi);
  return good;
}

void ConformanceSuite::live_once(const davit_plugin_descriptor& descriptor) {
  host_.set_stopped(false);
  davit_plugin* plugin = nullptr;
  const davit_status created = invoke(
      "create()", [&](const davit_call* call) { return descriptor.create(host_.raw(), call, &plugin); });
  if (created != DAVIT_OK || plugin == nullptr) {
    report_.problem("create", created == DAVIT_OK ? "create() is OK but gives no instance"
                                                  : "create() failed: " + host_.error());
    return;
  }
  const davit_status started =
      invoke("start()", [&](const davit_call* call) { return descriptor.start(plugin, call); });
  if (started == DAVIT_OK) {
    check_interfaces(descriptor, plugin);
    invoke("stop()", [&](const davit_call* call) {
      descriptor.stop(plugin, call);
      return DAVIT_OK;
    });
    report_.ok("life", "create, start, stop, destroy");
  } else {
    report_.warning("start", "did not start without a real host (" + status_text(started) + ": " +
                                 host_.error() + "): its interfaces were not checked");
  }
  for (const auto& [owner, port] : host_.leases) {
    report_.warning("leases", "leased a port for \"" + owner + "\" and kept it after stop()");
  }
  host_.leases.clear();
  host_.set_stopped(true);
  report_.begin("destroy()");
  descriptor.destroy(plugin);
  check_silence("destroy()");
  for (const std::string& complaint : host_.take_complaints()) report_.problem("host", complaint);
}

davit_status ConformanceSuite::invoke(const std::string& what, const Body& body) {
  report_.begin(what);
  const davit_status status = body(host_.begin(what));
  const bool said_why = host_.end();
  if (status != DAVIT_OK && !said_why) {
    report_.problem("errors", what + " returned " + status_text(status) + " without saying why (call->fail)");
  }
  for (const std::string& complaint : host_.take_complaints()) report_.problem("host", complaint);
  check_silence(what);
  return status;
}

void ConformanceSuite::expect_ok(const std::string& what, const Body& body) {
  const davit_status status = invoke(what, body);
  if (status == DAVIT_OK) return;
  const std::string text = what + " answered " + status_text(status) + ": " + host_.error();
  if (status == DAVIT_UNAVAILABLE) {
    report_.warning("interfaces", text + " (not checked further: there is no real host here)");
  } else {
    report_.problem("interfaces", text);
  }
}

void ConformanceSuite::check_silence(const std::string& what) {
  if (stray_output_fd_ < 0) return;
  struct stat info {};
  if (::fstat(stray_output_fd_, &info) != 0 || info.st_size <= stray_seen_bytes_) return;
  report_.problem("silence", what + " wrote " + std::to_string(info.st_size - stray_seen_bytes_) +
                                 " bytes to fd 1 or 2; a plugin's words go through the call object");
  stray_seen_bytes_ = info.st_size;
}

const void* ConformanceSuite::table_of(const davit_plugin_descriptor& descriptor, davit_plugin* plugin,
                                       std::string_view id) {
  report_.begin("get_interface(\"" + std::string(id) + "\")");
  const void* table = descriptor.get_interface(plugin, conformance_str(id));
  check_silence("get_interface()");
  return table;
}

void ConformanceSuite::check_interfaces(const davit_plugin_descriptor& descriptor, davit_plugin* plugin) {
  for (const std::string_view id : {std::string_view("x.conformance.unknown/0"), std::string_view(),
                                    std::string_view("davit.hooks/1\0x", 15), std::string_view("\xff\xfe")}) {
    if (table_of(descriptor, plugin, id) != nullptr) {
      report_.problem("interfaces", "get_interface() answers an id that nobody knows; it must be NULL");
    }
  }
  for (const std::string_view id : kKnownInterfaces) {
    if (!note_.provides_interface(id) && table_of(descriptor, plugin, id) != nullptr) {
      report_.warning("interfaces",
                      "get_interface() answers " + std::string(id) + ", which the note does not list");
    }
  }
  for (const std::string& id : note_.provides) {
    const void* table = table_of(descriptor, plugin, id);
    if (table == nullptr) {
      report_.problem("interfaces", "the note provides " + id + ", but get_interface() answers NULL");
    } else {
      check_table(id, plugin, table);
      report_.ok("interfaces", id + " answers");
    }
  }
}

}  // namespace davit
