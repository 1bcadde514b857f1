// See build_trace.hpp. Of moby.buildkit.v1.StatusResponse: vertexes = 1 {digest = 1, name = 3, cached = 4,
// started = 5, completed = 6, error = 7}, logs = 3 {msg = 4}.
#include "build_trace.hpp"

#include <Poco/Base64Decoder.h>

#include <functional>
#include <iterator>
#include <sstream>

namespace davit::dockerfile {
namespace {

constexpr std::uint64_t kVarint = 0;
constexpr std::uint64_t kFixed64 = 1;
constexpr std::uint64_t kBytes = 2;
constexpr std::uint64_t kFixed32 = 5;

bool take_varint(std::string_view& message, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !message.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(message.front());
    message.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

/// Every field with its bytes (empty for a number) and its number; ends at the first that makes no sense.
void each_field(
    std::string_view message,
    const std::function<void(std::uint64_t field, std::string_view bytes, std::uint64_t number)>& use) {
  std::uint64_t key = 0;
  while (take_varint(message, key)) {
    std::uint64_t number = 0;
    std::size_t length = 0;
    switch (key & 7) {
      case kVarint:
        if (!take_varint(message, number)) return;
        break;
      case kBytes:
        if (!take_varint(message, number)) return;
        length = static_cast<std::size_t>(number);
        break;
      case kFixed64:
        length = 8;
        break;
      case kFixed32:
        length = 4;
        break;
      default:
        return;
    }
    if (length > message.size()) return;
    use(key >> 3, message.substr(0, length), number);
    message.remove_prefix(length);
  }
}

}  // namespace

void BuildTrace::vertex(std::string_view message) {
  std::string digest;
  std::string name;
  std::string error;
  bool cached = false;
  bool started = false;
  bool completed = false;
  each_field(message, [&](std::uint64_t field, std::string_view bytes, std::uint64_t number) {
    if (field == 1) digest = bytes;
    if (field == 3) name = bytes;
    if (field == 4) cached = number != 0;
    if (field == 5) started = true;
    if (field == 6) completed = true;
    if (field == 7) error = bytes;
  });
  if (name.starts_with("[internal]") || name.starts_with("copy /context")) return;
  Told& told = told_[digest];
  if (told == Told::kNothing && (started || cached)) {
    told = Told::kBegun;
    lines_.write(name + (cached ? " (cached)" : "") + "\n");
  }
  if (told == Told::kBegun && completed) {
    told = Told::kEnded;
    if (!error.empty()) lines_.write(error + "\n");
  }
}

void BuildTrace::log(std::string_view message) {
  each_field(message, [&](std::uint64_t field, std::string_view bytes, std::uint64_t) {
    if (field == 4) lines_.write(bytes);
  });
}

void BuildTrace::feed(const std::string& base64) {
  std::istringstream in(base64);
  Poco::Base64Decoder decoder(in);
  const std::string message{std::istreambuf_iterator<char>(decoder), {}};
  each_field(message, [this](std::uint64_t field, std::string_view bytes, std::uint64_t) {
    if (field == 1) vertex(bytes);
    if (field == 3) log(bytes);
  });
}

}  // namespace davit::dockerfile
