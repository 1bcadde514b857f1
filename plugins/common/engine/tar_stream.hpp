// Tar as bytes: small archives made in memory, one file read out of an archive, and a filter that makes
// everything in an archive belong to one user. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace davit::docker {

/// One entry, headers and padding included. `name` at most 100 characters; a folder's ends with '/'.
std::string tar_entry(const std::string& name, unsigned mode, std::uint32_t uid, std::uint32_t gid,
                      const std::string& content);
/// The two empty blocks at an archive's end.
std::string tar_end();
/// Content of the first regular file; empty if there is none.
std::string first_file(std::string_view archive);

/// Passes an archive on with other owners. Throws sdk::Failure (failed) if it is no tar.
class TarOwner {
 public:
  using Use = std::function<void(std::string_view)>;
  TarOwner(std::uint32_t uid, std::uint32_t gid, Use use) : uid_(uid), gid_(gid), use_(std::move(use)) {}
  void feed(std::string_view bytes);
  /// To be called at the end: throws if the archive breaks off.
  void finish() const;

 private:
  void header();
  std::uint32_t uid_;
  std::uint32_t gid_;
  Use use_;
  std::string head_;        ///< of the header that is being gathered
  std::uint64_t data_ = 0;  ///< bytes of content and padding to pass on
  int end_blocks_ = 0;      ///< empty ones, of which two end an archive
};

}  // namespace davit::docker
