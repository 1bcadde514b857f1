// TarReader: an archive's entries, as they stream by. It reads one form, the gnutar that davit-archive
// makes of every archive (archive_import.cpp), and judges nothing: which entries are welcome is its caller's.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace davit {

struct TarEntry {
  enum class Kind : std::uint8_t { kFile, kFolder, kLink, kHardLink, kOther };
  Kind kind = Kind::kFile;
  std::string path;         ///< as the archive has it: any bytes but NUL
  std::string target;       ///< of links; a hard link's is the path of an earlier entry
  std::uint64_t bytes = 0;  ///< of a file: what on_bytes will get
  bool executable = false;
};

/// Threads: one.
class TarReader {
 public:
  using OnEntry = std::function<Result<>(const TarEntry&)>;
  using OnBytes = std::function<Result<>(std::string_view)>;
  /// `on_bytes` gets a file's content in pieces, after its entry and before the next one.
  TarReader(OnEntry on_entry, OnBytes on_bytes)
      : on_entry_(std::move(on_entry)), on_bytes_(std::move(on_bytes)) {}

  /// The next bytes, cut anywhere. Errors: a callback's, or kInvalid "archive-broken". After one: feed no
  /// more.
  Result<> feed(std::string_view bytes);
  /// After the last bytes: kInvalid "archive-broken" if they end within an entry.
  [[nodiscard]] Result<> finish() const;

 private:
  static constexpr std::size_t kBlockBytes = 512;

  Result<> read_header();
  Result<> read_content(std::string_view& bytes);

  OnEntry on_entry_;
  OnBytes on_bytes_;
  std::array<char, kBlockBytes> header_{};
  std::size_t header_bytes_ = 0;
  std::uint64_t content_left_ = 0;
  std::size_t padding_left_ = 0;
  std::string* collecting_ = nullptr;  ///< content that is a name too long for a header
  std::string long_path_, long_target_;
  bool ended_ = false;
};

}  // namespace davit
