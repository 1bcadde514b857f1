// Reading and checking names; see names.hpp.
#include "names.hpp"

#include <algorithm>
#include <charconv>

#include "davit/failure.hpp"

namespace davit::process_plugin {
namespace {

constexpr std::size_t kLongestName = 180;  // the host's supervision takes 200 characters, the number included

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_part(std::string_view text, bool dots) {
  const auto good = [dots](char c) { return is_alnum(c) || c == '-' || c == '_' || (dots && c == '.'); };
  return !text.empty() && is_alnum(text.front()) && is_alnum(text.back()) &&
         std::ranges::all_of(text, good) && text.find("..") == std::string_view::npos;
}

/// Cuts the last dotted part off `text`.
std::string_view take_last(std::string_view& text) {
  const std::size_t dot = text.rfind('.');
  if (dot == std::string_view::npos) return {};
  const std::string_view last = text.substr(dot + 1);
  text = text.substr(0, dot);
  return last;
}

bool is_good(const GroupName& name) {
  return is_part(name.owner, true) && is_part(name.revision, false) && is_part(name.type, false) &&
         name.text().size() <= kLongestName;
}

}  // namespace

std::optional<GroupName> parse_group(std::string_view text) {
  GroupName name;
  name.type = take_last(text);
  name.revision = take_last(text);
  name.owner = text;
  if (!is_good(name)) return std::nullopt;
  return name;
}

std::optional<InstanceName> parse_instance(std::string_view text) {
  const std::string_view number = take_last(text);
  InstanceName name;
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), name.number);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == number.data() + number.size();
  if (!whole || name.number == 0 || number.front() == '0') return std::nullopt;
  std::optional<GroupName> group = parse_group(text);
  if (!group) return std::nullopt;
  name.group = std::move(*group);
  return name;
}

void check_group(const GroupName& name) {
  if (is_good(name)) return;
  throw sdk::Failure(DAVIT_INVALID, "group-name",
                     "the group " + name.text() + " has a name that cannot be used for processes",
                     "use letters, digits, - and _ for process types; dots only in an app's name");
}

bool matches(const sdk::Selector& selector, const GroupName& group) {
  return group.owner == selector.owner &&
         (selector.revision.empty() || group.revision == selector.revision) &&
         (selector.process_type.empty() || group.type == selector.process_type);
}

bool matches(const sdk::Selector& selector, const InstanceName& instance) {
  return matches(selector, instance.group) && (selector.number == 0 || instance.number == selector.number);
}

}  // namespace davit::process_plugin
