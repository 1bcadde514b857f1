// CacheEntry: what is known of one download that is kept: the text of a file m-KEY, KEY the SHA-256 of the
// request's key. Its body is the file b-SHA256, which others may share. Written by the wrapper inside builds,
// read there and by the plugin outside: for the plugin it is somebody else's data. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace davit::downloads {

inline constexpr std::string_view kEntryPrefix = "m-";
inline constexpr std::string_view kBodyPrefix = "b-";
inline constexpr std::string_view kScratchPrefix = "t-";
inline constexpr std::size_t kMostEntryBytes = 64 * 1024;

struct CacheEntry {
  std::string url;
  std::string sha256;
  std::uint64_t bytes = 0;
  std::string etag;           ///< as the server wrote it; may be empty
  std::string last_modified;  ///< likewise
  std::string content_type;
  std::int64_t stored_unix_s = 0;

  [[nodiscard]] std::string text() const;
  static std::optional<CacheEntry> parse(std::string_view text);
};

/// 64 hexadecimal digits in lower case.
bool is_sha256(std::string_view text);

}  // namespace davit::downloads
