// Arguments: see the header.
#include "cli/arguments.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace davit {
namespace {

/// Takes one of davit's own flags at words[index]; returns how many words it used, 0 if it is none of them.
Result<std::size_t> take_global(GlobalFlags& global, const std::vector<std::string>& words,
                                std::size_t index) {
  const std::string_view word = words[index];
  const auto flag = [&](bool& target) -> std::size_t {
    target = true;
    return 1;
  };
  if (word == "--quiet" || word == "-q") return flag(global.quiet);
  if (word == "--force") return flag(global.force);
  if (word == "--trace") return flag(global.trace);
  if (word == "--help" || word == "-h") return flag(global.help);
  if (word == "--safe-mode") return flag(global.safe_mode);
  if (word.starts_with("--app=")) {
    global.app = word.substr(6);
    return std::size_t{1};
  }
  if (word == "--app") {
    if (index + 1 >= words.size()) return fail(Code::kInvalid, "--app needs the name of an app");
    global.app = words[index + 1];
    return std::size_t{2};
  }
  return std::size_t{0};
}

bool looks_like_flag(std::string_view word) {
  return word.size() > 1 && word[0] == '-';
}

class Parser {
 public:
  Parser(const CommandLine& line, const CliCommand& spec) : spec_(spec), words_(line.rest) {
    result_.global = line.global;
    result_.group = group_name(spec.name);
  }

  Result<Arguments> run() {
    for (std::size_t index = 0; index < words_.size();) {
      DAVIT_TRY_ASSIGN(const std::size_t used, take(index));
      index += used;
    }
    DAVIT_TRY(place_app());
    DAVIT_TRY(check_counts());
    return std::move(result_);
  }

 private:
  tl::unexpected<Error> wrong(std::string message) const {
    return fail(Code::kInvalid, std::move(message),
                fmt::format("Usage: davit {}{}{}", spec_.name, spec_.usage.empty() ? "" : " ", spec_.usage));
  }

  /// How many positionals stand already, an app from --app, --global or --all counted.
  std::size_t placed() const {
    const bool in_place = result_.global_scope || result_.all || !result_.global.app.empty();
    return result_.args.size() + (in_place ? 1 : 0);
  }

  void positional(std::size_t index) {
    if (result_.args.empty()) first_typed_ = static_cast<std::ptrdiff_t>(result_.typed.size());
    result_.args.push_back(words_[index]);
    result_.typed.push_back(words_[index]);
  }

  Result<std::size_t> take(std::size_t index) {
    const std::string& word = words_[index];
    const std::size_t app_count = spec_.app == AppArgument::kNone ? 0 : 1;
    // Once the app stands, the words of `run` are the app's own, dashes and all.
    const bool raw = spec_.rest_is_raw && placed() > app_count;
    if (ended_ || raw || !looks_like_flag(word)) {
      positional(index);
      return std::size_t{1};
    }
    if (word == "--") {
      ended_ = true;
      result_.marked = placed() == app_count;
      if (spec_.unknown_flags == UnknownFlags::kPassOn) result_.typed.push_back(word);
      return std::size_t{1};
    }
    DAVIT_TRY_ASSIGN(const std::size_t own, take_own(index));
    if (own != 0) {
      for (std::size_t i = index; i < index + own; ++i) result_.typed.push_back(words_[i]);
      return own;
    }
    DAVIT_TRY_ASSIGN(const std::size_t global, take_global(result_.global, words_, index));
    if (global != 0) return global;
    return take_unknown(index);
  }

  Result<std::size_t> take_scope(std::string_view name) {
    if (name == "global" && (spec_.app == AppArgument::kOrGlobal || spec_.app == AppArgument::kOptional)) {
      result_.global_scope = true;
      return std::size_t{1};
    }
    if (name == "all" && spec_.app == AppArgument::kOrAll) {
      result_.all = true;
      return std::size_t{1};
    }
    return std::size_t{0};
  }

  const CliFlag* find(std::string_view name, char letter) const {
    const auto found = std::ranges::find_if(spec_.flags, [&](const CliFlag& flag) {
      return letter != 0 ? flag.letter == letter : flag.name == name;
    });
    return found == spec_.flags.end() ? nullptr : &*found;
  }

  /// `--format` of lists and reports; dokku's own word for text is stdout.
  Result<> check_format(const CliFlag& flag, std::string_view value) const {
    if (flag.name != kFormatFlag.name || flag.value != kFormatFlag.value) return {};
    if (value == "text" || value == "json" || value == "stdout") return {};
    return fail(Code::kInvalid, fmt::format("Invalid format specified: {}", value),
                "Use --format text or --format json");
  }

  /// A flag of the command itself.
  Result<std::size_t> take_own(std::size_t index) {
    const std::string_view word = words_[index];
    const bool is_long = word.starts_with("--");
    std::string_view name = word.substr(is_long ? 2 : 1);
    std::optional<std::string_view> attached;
    if (const auto equals = name.find('='); equals != std::string_view::npos) {
      attached = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    if (!is_long && name.size() > 1 && !attached && find({}, name[0]) != nullptr &&
        !find({}, name[0])->value.empty()) {  // -n50
      attached = name.substr(1);
      name = name.substr(0, 1);
    }
    if (is_long && !attached) {
      DAVIT_TRY_ASSIGN(const std::size_t scope, take_scope(name));
      if (scope != 0) return scope;
    }
    const CliFlag* flag = is_long ? find(name, 0) : name.size() == 1 ? find({}, name[0]) : nullptr;
    if (flag == nullptr) return std::size_t{0};
    if (flag->value.empty()) {
      if (attached) return wrong(fmt::format("--{} takes no value", flag->name));
      result_.flags.emplace_back(flag->name, "");
      return std::size_t{1};
    }
    if (!attached && index + 1 >= words_.size())
      return wrong(fmt::format("--{} needs a value ({})", flag->name, flag->value));
    const std::string_view value = attached ? *attached : words_[index + 1];
    DAVIT_TRY(check_format(*flag, value));
    result_.flags.emplace_back(flag->name, value);
    return std::size_t{attached ? 1U : 2U};
  }

  Result<std::size_t> take_unknown(std::size_t index) {
    const std::string& word = words_[index];
    switch (spec_.unknown_flags) {
      case UnknownFlags::kPassOn:
        positional(index);
        return std::size_t{1};
      case UnknownFlags::kValueAtEnd:
        if (placed() >= 2) {
          positional(index);
          return std::size_t{1};
        }
        break;
      case UnknownFlags::kReportKey:
        if (!result_.report_key.empty()) return wrong("Only one flag can be shown at a time");
        result_.report_key = word;
        return std::size_t{1};
      case UnknownFlags::kRefuse:
        break;
    }
    std::vector<std::string> known;
    for (const CliFlag& flag : spec_.flags) known.push_back("--" + std::string(flag.name));
    const std::string near = nearest(word, known);
    return wrong(near.empty() ? fmt::format("Unknown flag {}", word)
                              : fmt::format("Unknown flag {}: did you mean {}?", word, near));
  }

  Result<> place_app() {
    if (spec_.app == AppArgument::kNone) {
      if (!result_.global.app.empty()) {
        result_.args.insert(result_.args.begin(), result_.global.app);
        result_.typed.insert(result_.typed.begin(), result_.global.app);
      }
      return {};
    }
    if (result_.global_scope || result_.all) return {};
    if (!result_.global.app.empty()) {
      result_.app = result_.global.app;
      result_.typed.insert(result_.typed.begin(), result_.app);
      return {};
    }
    if (!result_.args.empty()) {
      result_.app = result_.args.front();
      result_.args.erase(result_.args.begin());
      // As typed, but the app first: a plugin's command finds it there, wherever the flags stood.
      const auto first = result_.typed.begin();
      std::rotate(first, first + first_typed_, first + first_typed_ + 1);
      return {};
    }
    if (spec_.app == AppArgument::kOptional || result_.global.help) return {};
    return wrong("Please specify an app to run the command on");
  }

  Result<> check_counts() const {
    if (result_.global.help) return {};
    if (result_.args.size() < spec_.minimum_args)
      return wrong(fmt::format("{} needs more arguments", spec_.name));
    if (result_.args.size() > spec_.maximum_args) {
      return wrong(
          fmt::format("{} got an argument too many: {}", spec_.name, result_.args[spec_.maximum_args]));
    }
    return {};
  }

  const CliCommand& spec_;
  const std::vector<std::string>& words_;
  Arguments result_;
  bool ended_ = false;
  std::ptrdiff_t first_typed_ = 0;  // where the first positional stands among the typed words
};

}  // namespace

bool Arguments::has(std::string_view flag) const {
  return value(flag).has_value();
}

std::optional<std::string_view> Arguments::value(std::string_view flag) const {
  std::optional<std::string_view> found;
  for (const auto& [name, text] : flags) {
    if (name == flag) found = text;
  }
  return found;
}

std::vector<std::string_view> Arguments::values(std::string_view flag) const {
  std::vector<std::string_view> found;
  for (const auto& [name, text] : flags) {
    if (name == flag) found.emplace_back(text);
  }
  return found;
}

Result<CommandLine> split_command_line(const std::vector<std::string>& words) {
  CommandLine line;
  std::size_t index = 0;
  while (index < words.size()) {
    if (words[index] == "--version" || words[index] == "-v") {
      line.global.version = true;
      ++index;
      continue;
    }
    DAVIT_TRY_ASSIGN(const std::size_t used, take_global(line.global, words, index));
    if (used == 0) break;
    index += used;
  }
  if (index < words.size() && looks_like_flag(words[index])) {
    return fail(Code::kInvalid, fmt::format("Unknown flag {} before the command", words[index]),
                "Flags that can stand there: --quiet, --force, --trace, --app APP, --safe-mode");
  }
  if (index < words.size()) {
    line.name = words[index];
    line.rest.assign(words.begin() + static_cast<std::ptrdiff_t>(index) + 1, words.end());
  }
  return line;
}

Result<Arguments> parse_arguments(const CommandLine& line, const CliCommand& spec) {
  return Parser(line, spec).run();
}

}  // namespace davit
