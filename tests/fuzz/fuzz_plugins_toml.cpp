// Fuzzes plugins.toml: reading any bytes, and the promise that an edit of what is readable stays readable and
// does what it should.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "plugin/plugins_toml.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = davit::parse_plugins_toml(text, "plugins.toml");
  if (!file) return 0;
  for (const davit::PluginSection& section : file->plugins) {
    const auto edited = davit::with_plugin_enabled(text, section.id, !section.enabled, "plugins.toml");
    if (!edited && edited.error().code == davit::Code::kInternal) std::abort();  // the edit went wrong
    if (edited && !davit::parse_plugins_toml(*edited, "plugins.toml")) std::abort();
  }
  const auto added = davit::with_plugin_enabled(text, "fuzz-added", true, "plugins.toml");
  if (added && !davit::parse_plugins_toml(*added, "plugins.toml")) std::abort();
  return 0;
}
