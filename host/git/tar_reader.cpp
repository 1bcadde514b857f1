// gnutar, block by block.
#include "git/tar_reader.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace davit {
namespace {

constexpr std::uint64_t kMaxNameBytes = 4096;  // no system takes a longer one
// Fields of a header: place and size.
constexpr std::size_t kName = 0, kNameBytes = 100, kMode = 100, kModeBytes = 8, kSize = 124, kSizeBytes = 12,
                      kSum = 148, kSumBytes = 8, kType = 156, kTarget = 157, kTargetBytes = 100;

tl::unexpected<Error> broken(std::string message) {
  return fail(Code::kInvalid, std::move(message), "Make it anew, and check that it arrived whole",
              "archive-broken");
}

std::string_view text_field(std::string_view field) {
  return field.substr(0, field.find('\0'));
}

/// Octal digits with blanks around them, or (for large sizes) a marked big-endian number.
std::optional<std::uint64_t> number_field(std::string_view field) {
  std::uint64_t value = 0;
  if ((static_cast<unsigned char>(field.front()) & 0x80) != 0) {
    for (const char c : field.substr(field.size() - 8)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  const auto digits = field.find_first_of("01234567");
  if (digits == std::string_view::npos) return 0;
  const auto [end, error] = std::from_chars(field.data() + digits, field.data() + field.size(), value, 8);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

std::uint64_t sum_of(std::string_view header) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const bool own_field = i >= kSum && i < kSum + kSumBytes;
    sum += own_field ? ' ' : static_cast<unsigned char>(header[i]);
  }
  return sum;
}

TarEntry::Kind kind_of_type(char type) {
  switch (type) {
    case '0':
    case '\0':
      return TarEntry::Kind::kFile;
    case '1':
      return TarEntry::Kind::kHardLink;
    case '2':
      return TarEntry::Kind::kLink;
    case '5':
      return TarEntry::Kind::kFolder;
    default:
      return TarEntry::Kind::kOther;
  }
}

}  // namespace

Result<> TarReader::feed(std::string_view bytes) {
  while (!bytes.empty() && !ended_) {
    if (content_left_ > 0) {
      DAVIT_TRY(read_content(bytes));
    } else if (padding_left_ > 0) {
      const std::size_t count = std::min(padding_left_, bytes.size());
      padding_left_ -= count;
      bytes.remove_prefix(count);
    } else {
      const std::size_t count = std::min(kBlockBytes - header_bytes_, bytes.size());
      std::copy_n(bytes.data(), count, header_.data() + header_bytes_);
      header_bytes_ += count;
      bytes.remove_prefix(count);
      if (header_bytes_ < kBlockBytes) continue;
      header_bytes_ = 0;
      DAVIT_TRY(read_header());
    }
  }
  return {};
}

Result<> TarReader::finish() const {
  if (ended_ || (content_left_ == 0 && padding_left_ == 0 && header_bytes_ == 0)) return {};
  return broken("The archive is cut short");
}

Result<> TarReader::read_content(std::string_view& bytes) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(content_left_, bytes.size()));
  if (collecting_ != nullptr) {
    collecting_->append(bytes.substr(0, count));
  } else {
    DAVIT_TRY(on_bytes_(bytes.substr(0, count)));
  }
  bytes.remove_prefix(count);
  content_left_ -= count;
  if (content_left_ == 0) collecting_ = nullptr;
  return {};
}

Result<> TarReader::read_header() {
  const std::string_view header(header_.data(), header_.size());
  if (std::ranges::all_of(header, [](char c) { return c == '\0'; })) {
    ended_ = true;
    return {};
  }
  const auto sum = number_field(header.substr(kSum, kSumBytes));
  const auto size = number_field(header.substr(kSize, kSizeBytes));
  const auto mode = number_field(header.substr(kMode, kModeBytes));
  if (!sum || *sum != sum_of(header) || !size || !mode) return broken("The archive has a damaged entry");
  const char type = header[kType];
  const bool long_name = type == 'L' || type == 'K';
  const TarEntry::Kind kind = kind_of_type(type);
  if (long_name || kind == TarEntry::Kind::kFile) {
    if (long_name && *size > kMaxNameBytes) return broken("The archive has an absurdly long name");
    content_left_ = *size;
    padding_left_ = static_cast<std::size_t>((kBlockBytes - *size % kBlockBytes) % kBlockBytes);
  }
  if (long_name) {
    collecting_ = type == 'L' ? &long_path_ : &long_target_;
    collecting_->clear();
    return {};
  }
  TarEntry entry{kind, std::string(text_field(long_path_)), std::string(text_field(long_target_)),
                 content_left_, (*mode & 0100) != 0};
  if (entry.path.empty()) entry.path = text_field(header.substr(kName, kNameBytes));
  if (entry.target.empty()) entry.target = text_field(header.substr(kTarget, kTargetBytes));
  long_path_.clear();
  long_target_.clear();
  return on_entry_(entry);
}

}  // namespace davit
