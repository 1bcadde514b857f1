// SHA-256 (FIPS 180-4), for the checksums of the download cache: the wrapper is static and links nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace davit::downloads {

class Sha256 {
 public:
  void add(std::string_view bytes);
  /// 64 hexadecimal digits. Once.
  std::string hex();

 private:
  void block(const unsigned char* bytes);
  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> rest_{};
  std::size_t rest_size_ = 0;
  std::uint64_t bytes_ = 0;
};

std::string sha256_of(std::string_view bytes);
/// Of a file from its beginning to its end; the offset of `fd` stays where it is. nullopt if it cannot be
/// read.
std::optional<std::string> sha256_of_file(int fd);

}  // namespace davit::downloads
