// Boost.DLL behind one function: checks first, then dlopen, never dlclose.
#include "plugin/loader.hpp"

#define BOOST_DLL_USE_STD_FS
#include <boost/dll/shared_library.hpp>

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <new>

#include "plugin/abi_text.hpp"

namespace davit {
namespace {

/// The private class around Boost.DLL: a library that is opened once and never closed, since a plugin's code
/// may be on a stack, in a thread or in an atexit list at any later time.
class Library {
 public:
  /// Throws boost::system::system_error, whose what() has dlerror's text.
  explicit Library(const std::filesystem::path& file) {
    ::new (storage_)
        boost::dll::shared_library(file, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
  }
  [[nodiscard]] davit_plugin_entry entry() const {
    return &get().get<const davit_plugin_descriptor*(void)>(DAVIT_PLUGIN_ENTRY_NAME);
  }

 private:
  [[nodiscard]] const boost::dll::shared_library& get() const {
    return *std::launder(reinterpret_cast<const boost::dll::shared_library*>(storage_));
  }
  alignas(boost::dll::shared_library) unsigned char storage_[sizeof(boost::dll::shared_library)];
};

tl::unexpected<Error> bad_descriptor(const std::filesystem::path& file, std::string what) {
  return fail(Code::kInvalid, fmt::format("{}: {}", file.string(), what),
              "Build the plugin again from clean sources", "plugin-descriptor");
}

Result<> check_descriptor(const davit_plugin_descriptor* descriptor, const PluginNote& note,
                          const std::filesystem::path& file) {
  if (descriptor == nullptr) return bad_descriptor(file, "davit_plugin_v1() returned no descriptor");
  if (!DAVIT_HAS(descriptor, davit_plugin_descriptor, abi_major) || descriptor->abi_major != DAVIT_ABI_MAJOR)
    return fail(Code::kInvalid,
                fmt::format("{}: its descriptor is of ABI {}, this davit has ABI {}.{}", file.string(),
                            descriptor->struct_size < 8 ? 0 : descriptor->abi_major, DAVIT_ABI_MAJOR,
                            DAVIT_ABI_MINOR),
                "Build it with this davit's SDK", "plugin-abi");
  if (!DAVIT_HAS(descriptor, davit_plugin_descriptor, get_interface))
    return bad_descriptor(file, "its descriptor is too small");
  if (descriptor->create == nullptr || descriptor->start == nullptr || descriptor->stop == nullptr ||
      descriptor->destroy == nullptr || descriptor->get_interface == nullptr)
    return bad_descriptor(file, "a function is missing in its descriptor");
  if (view(descriptor->id) != note.id || view(descriptor->version) != note.version)
    return bad_descriptor(
        file, fmt::format("its note says {} {}, its descriptor {} {}", note.id, note.version,
                          clean_line(view(descriptor->id)), clean_line(view(descriptor->version))));
  return {};
}

}  // namespace

Result<> check_trust(const std::filesystem::path& file, const LoadTrust& trust) {
  struct stat status {};
  if (!file.is_absolute())
    return fail(Code::kInvalid, fmt::format("{} is not an absolute path", file.string()));
  if (::stat(file.c_str(), &status) != 0) return fail(system_error("plugin file " + file.string(), errno));
  if (status.st_uid != 0 && status.st_uid != trust.owner)
    return fail(Code::kDenied,
                fmt::format("{} belongs to uid {}, not to root or to the home's owner (uid {})",
                            file.string(), status.st_uid, trust.owner),
                fmt::format("If you trust it: chown {} {}", trust.owner, file.string()), "plugin-untrusted");
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return fail(Code::kDenied,
                fmt::format("{} may be written by others (mode {:o})", file.string(), status.st_mode & 07777),
                fmt::format("If you trust it: chmod go-w {}", file.string()), "plugin-untrusted");
  return {};
}

Result<const davit_plugin_descriptor*> load_plugin(const std::filesystem::path& file, const PluginNote& note,
                                                   const LoadTrust& trust) {
  DAVIT_TRY(check_trust(file, trust));
  try {
    const Library library(file);
    const davit_plugin_descriptor* descriptor = library.entry()();
    DAVIT_TRY(check_descriptor(descriptor, note, file));
    return descriptor;
  } catch (const std::exception& refusal) {
    return fail(
        Code::kInvalid, fmt::format("{} cannot be loaded: {}", file.string(), clean_line(refusal.what())),
        "A missing library or symbol is named above; build the plugin for this system", "plugin-load-failed");
  }
}

}  // namespace davit
