// SHA-256 as hex text. Pure.
#pragma once

#include <string>
#include <string_view>

namespace davit::docker {

std::string sha256_hex(std::string_view text);
/// The first 12 hex digits of the SHA-256.
std::string short_hash(std::string_view text);
/// Of an image or a slug, "sha256:abc..." and "abc..." alike: the first 24 hex digits. Of anything else,
/// those of its hash.
std::string short_digest(const std::string& digest);

}  // namespace davit::docker
