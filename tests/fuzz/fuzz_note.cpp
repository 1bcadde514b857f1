// Fuzzes the note reader: the ELF walk with any bytes as a file, and the note's TOML with any bytes as its
// text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "plugin/elf_note.hpp"
#include "plugin/note_reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto text = davit::davit_note_of_image(bytes, "fuzz.so"); text)
    (void)davit::parse_note(*text, "fuzz.so");
  const auto note = davit::parse_note(bytes, "fuzz.so");
  if (note && (note->id.empty() || note->version.empty()))
    std::abort();  // a note without them must be refused
  return 0;
}
