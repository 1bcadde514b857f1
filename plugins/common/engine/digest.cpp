// See digest.hpp.
#include "engine/digest.hpp"

#include <Poco/SHA2Engine.h>

namespace davit::docker {

std::string sha256_hex(std::string_view text) {
  Poco::SHA2Engine engine(Poco::SHA2Engine::SHA_256);
  engine.update(text.data(), text.size());
  return Poco::DigestEngine::digestToHex(engine.digest());
}

std::string short_hash(std::string_view text) {
  return sha256_hex(text).substr(0, 12);
}

std::string short_digest(const std::string& digest) {
  const std::size_t colon = digest.rfind(':');
  const std::string hex = colon == std::string::npos ? digest : digest.substr(colon + 1);
  const bool is_hex = hex.size() >= 24 && hex.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_hex ? hex.substr(0, 24) : sha256_hex(digest).substr(0, 24);
}

}  // namespace davit::docker
