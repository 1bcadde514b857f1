// note_reader: from a plugin's file, or the text of its note, to a PluginNote.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "plugin/note.hpp"

namespace davit {

/// Keys that are not known are passed over (a newer plugin may say more); types and the form of ids, versions
/// and names are checked. Also checked: ABI major (slug "plugin-abi"; the message has both versions).
/// `source` is named in errors (kInvalid "plugin-note-invalid").
Result<PluginNote> parse_note(std::string_view text, const std::string& source);
/// Reads the file's ELF note; nothing is loaded.
Result<PluginNote> read_note(const std::filesystem::path& file);

}  // namespace davit
