// Finds the note in an ELF file without loading it.
#include "plugin/elf_note.hpp"

#include <davit/note.h>
#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "process/unique_fd.hpp"

namespace davit {
namespace {

#if defined(__x86_64__)
constexpr std::uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr std::uint16_t kMachine = EM_AARCH64;
#elif defined(__riscv)
constexpr std::uint16_t kMachine = EM_RISCV;
#else
#error "name this machine's e_machine here"
#endif
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
constexpr unsigned char kByteOrder = ELFDATA2LSB;
#else
constexpr unsigned char kByteOrder = ELFDATA2MSB;
#endif
constexpr std::size_t kMaxProgramHeaders = 128;

tl::unexpected<Error> bad(const std::string& name, std::string_view what, std::string hint = {}) {
  return fail(Code::kInvalid, fmt::format("{}: {}", name, what), std::move(hint), "plugin-file-invalid");
}

/// `size` bytes at `offset`, or nothing if they are not all inside.
std::optional<std::string_view> slice(std::string_view bytes, std::uint64_t offset, std::uint64_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset) return std::nullopt;
  return bytes.substr(offset, size);
}

template <typename Struct>
std::optional<Struct> load(std::string_view bytes, std::uint64_t offset) {
  const auto part = slice(bytes, offset, sizeof(Struct));
  if (!part) return std::nullopt;
  Struct value;
  std::memcpy(&value, part->data(), sizeof(Struct));
  return value;
}

Result<std::vector<Elf64_Phdr>> program_headers(std::string_view image, const std::string& name) {
  const auto header = load<Elf64_Ehdr>(image, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
    return bad(name, "this is not a plugin: not an ELF file", "Build it with davit_add_plugin()");
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != kByteOrder ||
      header->e_machine != kMachine)
    return bad(name, fmt::format("this plugin is for another machine (ELF machine {})", header->e_machine),
               "Build it for this one");
  if (header->e_type != ET_DYN)
    return bad(name, "this ELF file is not a shared object", "Build it with davit_add_plugin()");
  if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum == 0 ||
      header->e_phnum > kMaxProgramHeaders)
    return bad(name, "its ELF program headers are odd");
  std::vector<Elf64_Phdr> headers;
  for (std::uint64_t i = 0; i < header->e_phnum; ++i) {
    const std::uint64_t offset = header->e_phoff + i * sizeof(Elf64_Phdr);
    const auto one = offset < header->e_phoff ? std::nullopt : load<Elf64_Phdr>(image, offset);
    if (!one) return bad(name, "the file is truncated", "Install it again");
    headers.push_back(*one);
  }
  return headers;
}

constexpr std::uint64_t padded(std::uint64_t size) {
  return (size + 3) & ~std::uint64_t{3};
}

/// Adds the descriptors of the davit notes in one PT_NOTE segment. A segment of odd form just ends the walk:
/// other tools' notes are none of our business.
void collect_notes(std::string_view segment, std::vector<std::string_view>& found) {
  std::uint64_t at = 0;
  while (const auto header = load<Elf64_Nhdr>(segment, at)) {
    const std::uint64_t name_at = at + sizeof(Elf64_Nhdr);
    const std::uint64_t text_at = name_at + padded(header->n_namesz);
    const auto name = slice(segment, name_at, header->n_namesz);
    const auto text = slice(segment, text_at, header->n_descsz);
    if (!name || !text) return;
    if (*name == std::string_view(DAVIT_NOTE_NAME, sizeof(DAVIT_NOTE_NAME)) &&
        header->n_type == DAVIT_NOTE_TYPE)
      found.push_back(*text);
    at = text_at + padded(header->n_descsz);
  }
}

struct Mapping {
  void* data = MAP_FAILED;
  std::size_t size = 0;
  ~Mapping() {
    if (data != MAP_FAILED) ::munmap(data, size);
  }
};

}  // namespace

Result<std::string> davit_note_of_image(std::string_view image, const std::string& name) {
  DAVIT_TRY_ASSIGN(const auto headers, program_headers(image, name));
  std::vector<std::string_view> notes;
  for (const Elf64_Phdr& header : headers) {
    if (header.p_type != PT_LOAD && header.p_type != PT_NOTE) continue;
    const auto segment = slice(image, header.p_offset, header.p_filesz);
    if (!segment)
      return bad(name, "the file is truncated: a part of it lies beyond its end", "Install it again");
    if (header.p_type == PT_NOTE) collect_notes(*segment, notes);
  }
  if (notes.empty())
    return bad(name, "this shared object has no davit note",
               "Build it with davit_add_plugin(), or see davit/note.h");
  if (notes.size() > 1)
    return bad(name, "this plugin has more than one davit note", "Link exactly one plugin.toml into it");
  std::string_view text = notes.front();
  while (text.ends_with('\0')) text.remove_suffix(1);  // padding that was counted in
  if (text.size() > kMaxNoteBytes) return bad(name, "its davit note is too large");
  return std::string(text);
}

Result<std::string> davit_note_of_file(const std::filesystem::path& file) {
  const std::string name = file.string();
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) return fail(system_error("open " + name, errno));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail(system_error("stat " + name, errno));
  if (!S_ISREG(status.st_mode)) return bad(name, "this is not a plain file");
  if (status.st_size == 0) return bad(name, "the file is empty", "Install it again");
  // Private: what is read may still change under us, but a file that shrinks is looked at only within headers
  // and notes, which were inside a moment ago; plugins are installed by rename.
  Mapping mapping;
  mapping.size = static_cast<std::size_t>(status.st_size);
  mapping.data = ::mmap(nullptr, mapping.size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (mapping.data == MAP_FAILED) return fail(system_error("map " + name, errno));
  return davit_note_of_image({static_cast<const char*>(mapping.data), mapping.size}, name);
}

}  // namespace davit
