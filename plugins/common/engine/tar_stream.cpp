// See tar_stream.hpp. The header's layout is POSIX ustar's: name 0, mode 100, uid 108, gid 116, size 124,
// mtime 136, checksum 148, type 156, magic 257, uname 265, gname 297.
#include "engine/tar_stream.hpp"

#include <algorithm>
#include <cstring>

#include "davit/failure.hpp"

namespace davit::docker {
namespace {

constexpr std::size_t kBlock = 512;

void put_octal(char* field, std::size_t width, std::uint64_t value) {
  for (std::size_t i = width - 1; i-- > 0; value >>= 3) field[i] = static_cast<char>('0' + (value & 7));
  field[width - 1] = '\0';
}

/// Larger than the octal digits hold: base 256 with the top bit set, as GNU tar does it.
void put_number(char* field, std::size_t width, std::uint64_t value) {
  if (value < 1ULL << (3 * (width - 1))) return put_octal(field, width, value);
  for (std::size_t i = width; i-- > 0; value >>= 8) field[i] = static_cast<char>(value & 0xff);
  field[0] = static_cast<char>(0x80);
}

std::uint64_t read_number(const char* field, std::size_t width) {
  std::uint64_t value = 0;
  if ((static_cast<unsigned char>(field[0]) & 0x80) != 0) {
    for (std::size_t i = 1; i < width; ++i) value = value << 8 | static_cast<unsigned char>(field[i]);
    return value;
  }
  for (std::size_t i = 0; i < width; ++i) {
    if (field[i] == ' ' && value == 0) continue;
    if (field[i] < '0' || field[i] > '7') break;
    value = value << 3 | static_cast<std::uint64_t>(field[i] - '0');
  }
  return value;
}

unsigned checksum(const char* header) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i)
    sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(header[i]);
  return sum;
}

void put_checksum(char* header) {
  put_octal(header + 148, 7, checksum(header));
  header[155] = ' ';
}

std::uint64_t padded(std::uint64_t size) {
  return (size + kBlock - 1) / kBlock * kBlock;
}

bool is_empty(const std::string& block) {
  return std::ranges::all_of(block, [](char c) { return c == '\0'; });
}

[[noreturn]] void damaged() {
  throw sdk::Failure(DAVIT_FAILED, "slug-damaged",
                     "the slug could not be unpacked: it is no whole tar archive",
                     "deploy again: a new build makes a new slug");
}

}  // namespace

std::string tar_entry(const std::string& name, unsigned mode, std::uint32_t uid, std::uint32_t gid,
                      const std::string& content) {
  std::string entry(kBlock, '\0');
  std::memcpy(entry.data(), name.data(), std::min<std::size_t>(name.size(), 100));
  put_octal(entry.data() + 100, 8, mode);
  put_number(entry.data() + 108, 8, uid);
  put_number(entry.data() + 116, 8, gid);
  put_octal(entry.data() + 124, 12, content.size());
  put_octal(entry.data() + 136, 12, 0);
  entry[156] = name.ends_with('/') ? '5' : '0';
  std::memcpy(entry.data() + 257,
              "ustar\0"
              "00",
              8);
  put_checksum(entry.data());
  entry += content;
  entry.resize(kBlock + padded(content.size()), '\0');
  return entry;
}

std::string tar_end() {
  return std::string(2 * kBlock, '\0');
}

std::string first_file(std::string_view archive) {
  std::size_t at = 0;
  while (archive.size() - at >= kBlock) {
    const char* header = archive.data() + at;
    const std::uint64_t size = read_number(header + 124, 12);
    if (size > archive.size() - at - kBlock) return {};
    if (header[156] == '0' || header[156] == '\0') return std::string(archive.substr(at + kBlock, size));
    at += kBlock + padded(size);
  }
  return {};
}

void TarOwner::header() {
  if (is_empty(head_)) {
    ++end_blocks_;
    return;
  }
  const std::uint64_t said = read_number(head_.data() + 148, 8);
  if (said != checksum(head_.data())) damaged();
  // Types with content; links, folders and devices have none whatever their size says.
  const char type = head_[156];
  const bool has_data = type == '0' || type == '\0' || type == '7' || type == 'L' || type == 'K' ||
                        type == 'x' || type == 'g' || type == 'S';
  data_ = has_data ? padded(read_number(head_.data() + 124, 12)) : 0;
  put_number(head_.data() + 108, 8, uid_);
  put_number(head_.data() + 116, 8, gid_);
  std::memset(head_.data() + 265, 0, 64);  // names of owners, which would win over the numbers
  put_checksum(head_.data());
}

void TarOwner::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    // What pads the archive behind its end: Podman's reader is gone by then, and it calls that an error.
    if (end_blocks_ == 2) return;
    if (data_ > 0) {
      const std::size_t part = static_cast<std::size_t>(std::min<std::uint64_t>(data_, bytes.size()));
      use_(bytes.substr(0, part));
      data_ -= part;
      bytes.remove_prefix(part);
      continue;
    }
    const std::size_t part = std::min(kBlock - head_.size(), bytes.size());
    head_.append(bytes.substr(0, part));
    bytes.remove_prefix(part);
    if (head_.size() < kBlock) return;
    header();
    use_(head_);
    head_.clear();
  }
}

void TarOwner::finish() const {
  if (data_ > 0 || end_blocks_ == 0) damaged();
}

}  // namespace davit::docker
