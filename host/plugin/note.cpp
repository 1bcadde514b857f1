// A note's TOML as a PluginNote.
#include "plugin/note.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/text.hpp"

namespace davit {
namespace {

struct TypeName {
  SettingType type;
  std::string_view name;
};
constexpr std::array<TypeName, 10> kTypeNames{{{SettingType::kUint, "uint"},
                                               {SettingType::kInt, "int"},
                                               {SettingType::kBool, "bool"},
                                               {SettingType::kString, "string"},
                                               {SettingType::kPath, "path"},
                                               {SettingType::kDuration, "duration"},
                                               {SettingType::kSize, "size"},
                                               {SettingType::kStrings, "strings"},
                                               {SettingType::kEnum, "enum"},
                                               {SettingType::kPort, "port"}}};

template <typename Integer>
bool is_number(std::string_view text) {
  Integer value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};

/// NUMBER SUFFIX, times the suffix's factor; without overflow.
template <std::size_t count>
bool parse_with_unit(std::string_view text, const std::array<Unit, count>& units, std::uint64_t& out) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return false;
  const std::string suffix = to_lower_ascii(text.substr(static_cast<std::size_t>(end - text.data())));
  const auto unit =
      std::find_if(units.begin(), units.end(), [&](const Unit& one) { return one.suffix == suffix; });
  if (unit == units.end() || value > std::numeric_limits<std::int64_t>::max() / unit->factor) return false;
  out = value * unit->factor;
  return true;
}

constexpr std::array<Unit, 6> kTimeUnits{
    {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr std::uint64_t kKibi = 1024;
constexpr std::array<Unit, 14> kSizeUnits{{{"", 1},
                                           {"b", 1},
                                           {"k", kKibi},
                                           {"kb", kKibi},
                                           {"kib", kKibi},
                                           {"m", kKibi* kKibi},
                                           {"mb", kKibi* kKibi},
                                           {"mib", kKibi* kKibi},
                                           {"g", kKibi* kKibi* kKibi},
                                           {"gb", kKibi* kKibi* kKibi},
                                           {"gib", kKibi* kKibi* kKibi},
                                           {"t", kKibi* kKibi* kKibi* kKibi},
                                           {"tb", kKibi* kKibi* kKibi* kKibi},
                                           {"tib", kKibi* kKibi* kKibi* kKibi}}};

tl::unexpected<Error> unfit(std::string_view text, std::string_view wanted, std::string hint = {}) {
  return fail(Code::kInvalid, fmt::format("\"{}\" is not {}", text, wanted), std::move(hint),
              "value-invalid");
}

}  // namespace

std::string_view name_of(SettingType type) {
  for (const TypeName& one : kTypeNames)
    if (one.type == type) return one.name;
  return "string";
}

std::optional<SettingType> setting_type(std::string_view name) {
  for (const TypeName& one : kTypeNames)
    if (one.name == name) return one.type;
  return std::nullopt;
}

Result<std::uint64_t> parse_duration_ms(std::string_view text) {
  std::uint64_t value = 0;
  if (!parse_with_unit(text, kTimeUnits, value))
    return unfit(text, "a duration", "Write it as 500ms, 30s, 5m, 2h or 1d");
  return value;
}

Result<std::uint64_t> parse_size_bytes(std::string_view text) {
  std::uint64_t value = 0;
  if (!parse_with_unit(text, kSizeUnits, value)) return unfit(text, "a size", "Write it as 512k, 64m or 2g");
  return value;
}

Result<> check_value(SettingType type, const std::vector<std::string>& values, std::string_view text) {
  if (text.find('\0') != std::string_view::npos)
    return fail(Code::kInvalid, "The value has a NUL byte", {}, "value-invalid");
  switch (type) {
    case SettingType::kUint:
      if (!is_number<std::uint64_t>(text)) return unfit(text, "a number from 0 up");
      break;
    case SettingType::kInt:
      if (!is_number<std::int64_t>(text)) return unfit(text, "a whole number");
      break;
    case SettingType::kPort:
      if (!is_number<std::uint16_t>(text) || text.find_first_not_of('0') == std::string_view::npos)
        return unfit(text, "a port", "Ports are the numbers from 1 to 65535");
      break;
    case SettingType::kBool:
      if (text != "true" && text != "false") return unfit(text, "true or false");
      break;
    case SettingType::kPath:
      if (!text.empty() && !text.starts_with('/')) return unfit(text, "an absolute path", "Begin it with /");
      break;
    case SettingType::kDuration:
      DAVIT_TRY(parse_duration_ms(text));
      break;
    case SettingType::kSize:
      DAVIT_TRY(parse_size_bytes(text));
      break;
    case SettingType::kEnum:
      if (std::find(values.begin(), values.end(), text) == values.end())
        return unfit(text, "one of: " + join(values, ", "));
      break;
    case SettingType::kString:
    case SettingType::kStrings:
      break;
  }
  return {};
}

bool PluginNote::provides_interface(std::string_view interface_id) const {
  return std::find(provides.begin(), provides.end(), interface_id) != provides.end();
}

const SettingSpec* PluginNote::setting(std::string_view key) const {
  const auto found = std::find_if(settings.begin(), settings.end(),
                                  [&](const SettingSpec& spec) { return spec.key == key; });
  return found == settings.end() ? nullptr : &*found;
}

const CommandSpec* PluginNote::command(std::string_view name) const {
  const auto found = std::find_if(commands.begin(), commands.end(),
                                  [&](const CommandSpec& spec) { return spec.name == name; });
  return found == commands.end() ? nullptr : &*found;
}

bool PluginNote::may_use(std::string_view interface_id) const {
  const auto lists = [&](const std::vector<std::string>& ids) {
    return std::find(ids.begin(), ids.end(), interface_id) != ids.end();
  };
  return lists(requires_ids) || lists(uses_ids);
}

}  // namespace davit
