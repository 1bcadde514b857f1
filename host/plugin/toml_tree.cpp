// toml++ behind a plain tree: the one place that parses TOML. toml++ 3.3 asserts in places where it should
// look, and has undefined behaviour on characters that are not ASCII where it asks for whitespace. So an
// assertion of its that fails refuses the text, and it sees such characters only in strings and comments of
// a document that is right: Guard finds those by the quotes, which is good enough where the document without
// such characters (in_ascii) is one.
#include "plugin/toml_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.hpp"

namespace {
/// An assertion of toml++ that does not hold.
struct ParserFault {};
}  // namespace

// With exceptions it leaves at its first complaint; without, it goes on and asserts that there was none.
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ASSERT(expr) (static_cast<bool>(expr) ? static_cast<void>(0) : throw ParserFault{})
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"    // clang does not know the next one
#pragma GCC diagnostic ignored "-Wterminate"  // some are in noexcept functions, of internal states only
#include <toml++/toml.h>
#pragma GCC diagnostic pop

namespace davit {
namespace {

constexpr std::size_t kMaxDotsInLine = 128;

tl::unexpected<Error> bad(const std::string& source, std::size_t line, std::string_view what,
                          std::string hint = {}) {
  return fail(Code::kInvalid, fmt::format("{}:{}: {}", source, line, what), std::move(hint), "toml-invalid");
}

/// Walks the text as a TOML lexer would, as far as strings and comments go.
class Guard {
 public:
  Guard(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  Result<> check() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        skip_comment();
      } else if (c == '"' || c == '\'') {
        line_begins_ = false;
        if (!skip_string(c))
          return bad(source_, line_, "a character that is not ASCII follows a backslash",
                     "Begin the line after a backslash with an ASCII character");
      } else {
        if (const auto refusal = refuse(c)) return bad(source_, line_, *refusal, hint_);
        line_begins_ = c == '\n' || (line_begins_ && is_blank(c));
        advance();
      }
    }
    return {};
  }

 private:
  static bool is_blank(char c) { return c == ' ' || c == '\t'; }
  static bool begins_key(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '"' || c == '\'';
  }
  /// We are at the first [ of a line that is not inside an array. toml++ asserts what follows instead of
  /// looking.
  [[nodiscard]] bool has_bad_name() const {
    std::size_t at = at_ + 1;
    if (at < text_.size() && text_[at] == '[') ++at;
    while (at < text_.size() && is_blank(text_[at])) ++at;
    if (at == text_.size() || static_cast<unsigned char>(text_[at]) >= 0x80)
      return false;  // refused elsewhere
    return text_[at] != ']' && !begins_key(text_[at]);
  }
  std::optional<std::string> refuse(char c) {
    if (c == '[' && depth_ == 0 && line_begins_ && has_bad_name()) {
      hint_ =
          "Write [name] or [name.name]; a name of other characters than letters, digits, - and _ in quotes";
      return "a table's name is missing or begins with a character that it cannot begin with";
    }
    if (c == '[' || c == '{') ++depth_;
    if ((c == ']' || c == '}') && depth_ > 0) --depth_;
    if (static_cast<unsigned char>(c) >= 0x80) {
      hint_ = "Put it in quotes";
      return "a character that is not ASCII stands outside quotes";
    }
    if (c == '.' && ++dots_ > kMaxDotsInLine) return "too many dots in one line";
    if (c == '\n') dots_ = 0;
    return std::nullopt;
  }
  void advance() {
    if (text_[at_++] == '\n') ++line_;
  }
  void skip_comment() {
    while (at_ < text_.size() && text_[at_] != '\n') ++at_;
  }
  /// False: what follows a backslash is not ASCII, even behind blanks and line ends.
  bool skip_string(char quote) {
    const std::string three(3, quote);
    const bool long_form = text_.substr(at_, 3) == three;
    at_ += long_form ? 3 : 1;
    while (at_ < text_.size()) {
      if (quote == '"' && text_[at_] == '\\') {
        if (!skip_escape(long_form)) return false;
        continue;
      }
      if (!long_form && text_[at_] == '\n') return true;  // unterminated: toml++ says so
      if (long_form ? text_.substr(at_, 3) == three : text_[at_] == quote) {
        at_ += long_form ? 3 : 1;
        // Up to two more quotes before the closing three belong to the string.
        for (int more = 0; long_form && more < 2 && at_ < text_.size() && text_[at_] == quote; ++more) ++at_;
        return true;
      }
      advance();
    }
    return true;
  }
  bool skip_escape(bool long_form) {
    advance();
    const std::size_t begin = at_;
    while (long_form && at_ < text_.size() &&
           (is_blank(text_[at_]) || text_[at_] == '\r' || text_[at_] == '\n'))
      advance();
    if (at_ == text_.size()) return true;
    if (static_cast<unsigned char>(text_[at_]) >= 0x80) return false;
    if (at_ == begin) advance();
    return true;
  }

  std::string_view text_;
  const std::string& source_;
  std::string hint_;
  std::size_t at_ = 0, line_ = 1, dots_ = 0;
  std::size_t depth_ = 0;  // of brackets: right up to the first mistake, behind which toml++ does not look
  bool line_begins_ = true;
};

TomlNode convert(const toml::node& node);

void convert_table(const toml::table& table, TomlNode& out) {
  struct Placed {
    toml::source_position at;
    TomlMember member;
  };
  std::vector<Placed> placed;
  placed.reserve(table.size());
  for (const auto& [key, value] : table) {
    TomlNode child = convert(value);
    const auto at = key.source().begin;
    if (at.line != 0) child.line = at.line;
    placed.push_back({at, {std::string(key.str()), std::move(child)}});
  }
  std::stable_sort(placed.begin(), placed.end(), [](const Placed& left, const Placed& right) {
    return std::pair(left.at.line, left.at.column) < std::pair(right.at.line, right.at.column);
  });
  for (Placed& item : placed) out.members.push_back(std::move(item.member));
}

TomlNode convert(const toml::node& node) {
  using Kind = TomlNode::Kind;
  TomlNode out;
  out.line = node.source().begin.line;
  switch (node.type()) {
    case toml::node_type::table:
      out.kind = Kind::kTable;
      convert_table(*node.as_table(), out);
      break;
    case toml::node_type::array:
      out.kind = Kind::kArray;
      for (const toml::node& item : *node.as_array()) out.items.push_back(convert(item));
      break;
    case toml::node_type::string:
      out.kind = Kind::kString;
      out.text = node.as_string()->get();
      break;
    case toml::node_type::integer:
      out.kind = Kind::kInteger;
      out.integer = node.as_integer()->get();
      out.text = std::to_string(out.integer);
      break;
    case toml::node_type::floating_point:
      out.kind = Kind::kFloat;
      out.text = fmt::format("{}", node.as_floating_point()->get());
      break;
    case toml::node_type::boolean:
      out.kind = Kind::kBool;
      out.boolean = node.as_boolean()->get();
      out.text = out.boolean ? "true" : "false";
      break;
    default:
      out.kind = Kind::kDate;
  }
  return out;
}

std::size_t line_of_bad_utf8(std::string_view text) {
  std::size_t line = 1;
  for (const std::string& part : split(text, '\n')) {
    if (!is_valid_utf8(part)) return line;
    ++line;
  }
  return line;
}

bool has_fault(std::string_view text) {
  try {
    (void)toml::parse(text);
  } catch (const toml::parse_error&) {
  } catch (const ParserFault&) {
    return true;
  }
  return false;
}

/// toml++ reads from the left: the fault's line is the first that, with all before it, has it.
std::size_t line_of_fault(std::string_view text) {
  const std::vector<std::string> lines = split(text, '\n');
  std::size_t good = 0, faulty = lines.size();
  while (faulty - good > 1) {
    const std::size_t middle = (good + faulty) / 2;
    const std::vector<std::string> first(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(middle));
    (has_fault(join(first, "\n") + "\n") ? faulty : good) = middle;
  }
  return faulty;
}

bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}

/// The same document with other bytes spelled by three letters: for strings and names as good as any, no end
/// of anything, and another text stays another.
std::string in_ascii(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_ascii(c))
      out += c;
    else
      out.append({'x', static_cast<char>('a' + byte / 16), static_cast<char>('a' + byte % 16)});
  }
  return out;
}

Result<TomlNode> parse(std::string_view text, const std::string& source) {
  try {
    return convert(toml::parse(text));
  } catch (const toml::parse_error& error) {
    return bad(source, error.source().begin.line, error.description());
  } catch (const ParserFault&) {
    return bad(source, line_of_fault(text), "a value or a name was expected here",
               "Look for a bracket, a comma or a quote that is missing or too many");
  }
}

}  // namespace

const TomlNode* TomlNode::find(std::string_view key) const {
  const auto member = std::find_if(members.begin(), members.end(),
                                   [&](const TomlMember& candidate) { return candidate.first == key; });
  return member == members.end() ? nullptr : &member->second;
}

std::string_view name_of(TomlNode::Kind kind) {
  using Kind = TomlNode::Kind;
  switch (kind) {
    case Kind::kString:
      return "a string";
    case Kind::kInteger:
      return "an integer";
    case Kind::kFloat:
      return "a number with a point";
    case Kind::kBool:
      return "true or false";
    case Kind::kDate:
      return "a date or time";
    case Kind::kArray:
      return "an array";
    case Kind::kTable:
      return "a table";
  }
  return "something";
}

Result<TomlNode> parse_toml(std::string_view text, const std::string& source) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (!is_valid_utf8(text))
    return bad(source, line_of_bad_utf8(text), "the text is not UTF-8", "Save the file as UTF-8");
  DAVIT_TRY(Guard(text, source).check());
  if (!std::ranges::all_of(text, is_ascii)) DAVIT_TRY(parse(in_ascii(text), source));
  return parse(text, source);
}

}  // namespace davit
