// elf_note: the bytes of a plugin's davit note, taken from the ELF file without loading it. What they mean is
// note_reader's.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace davit {

inline constexpr std::size_t kMaxNoteBytes = 256 * 1024;

/// The note's descriptor (TOML text). `name` is the file's, for messages. Refused (kInvalid): what is no ELF
/// shared object of this machine, what has a PT_LOAD beyond the file's end (dlopen would die of SIGBUS), what
/// has no davit note or two. Reads only the headers and the notes through `image`, which may be a mapping of
/// the file.
Result<std::string> davit_note_of_image(std::string_view image, const std::string& name);
/// The same of a file. kNotFound when it is missing.
Result<std::string> davit_note_of_file(const std::filesystem::path& file);

}  // namespace davit
