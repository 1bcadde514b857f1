// What runs, and what it said.
#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.hpp"
#include "worker/instance_line.hpp"
#include "worker/operations.hpp"
#include "worker/reader.hpp"

namespace davit {
namespace {

using nlohmann::json;

constexpr std::uint64_t kDefaultLogLines = 100;

json endpoints_json(const Instance& instance) {
  json list = json::array();
  for (const Endpoint& endpoint : instance.endpoints) {
    list.push_back(endpoint.kind == Endpoint::Kind::kUnix
                       ? endpoint.path
                       : fmt::format("{}:{}", endpoint.host, endpoint.port));
  }
  return list;
}

struct LogOptions {
  std::string app, type, format = "text";
  unsigned number = 0;
  LogQuery query{false, kDefaultLogLines, 0};
  bool failed = false;  // of the last deployment that failed
};

Result<std::uint64_t> count_of(const std::string& text) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc{} && end == text.data() + text.size()) return count;
  return fail(Code::kInvalid, fmt::format("{} is no number of lines", json_quote(text)),
              "Write for example -n 100");
}

Result<LogOptions> parse(Words words) {
  LogOptions options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const bool takes_value = word == "--num" || word == "--ps" || word == "--format";
    if (takes_value && i + 1 >= words.size())
      return fail(Code::kInvalid, fmt::format("{} needs a value", word));
    if (word == "--tail") {
      options.query.follow = true;
    } else if (word == "--num") {
      DAVIT_TRY_ASSIGN(options.query.lines, count_of(words[++i]));
    } else if (word == "--format") {
      options.format = words[++i];
    } else if (word == "--ps") {
      const auto parts = split(words[++i], '.');
      options.type = parts[0];
      if (parts.size() > 1) {
        DAVIT_TRY_ASSIGN(const auto number, count_of(parts[1]));
        options.number = static_cast<unsigned>(number);
      }
    } else {
      options.app = word;
    }
  }
  return options;
}

// "2026-11-23T10:05:00Z app[web.1]: text"; any bytes of the app's are passed on.
std::string text_line(const LogLine& line) {
  return fmt::format("{} app[{}.{}]: {}\n", iso8601_utc(line.unix_ms), line.process_type, line.number,
                     line.text);
}

std::string json_line(const LogLine& line) {
  return fmt::format("{{\"at\":{},\"process\":{},\"revision\":{},\"text\":{}}}\n",
                     json_quote(iso8601_utc(line.unix_ms)),
                     json_quote(fmt::format("{}.{}", line.process_type, line.number)),
                     json_quote(line.revision), json_quote(line.text));
}

}  // namespace

std::string instance_line(std::string_view app, const Instance& instance, std::uint32_t release_version,
                          std::string_view runtime, std::string_view role) {
  const json row{{"app", app},
                 {"id", instance.id},
                 {"type", instance.process_type},
                 {"number", instance.number},
                 {"revision", instance.revision},
                 {"release", release_version},
                 {"role", role},
                 {"runtime", runtime},
                 {"state", name_of(instance.state)},
                 {"pid", instance.pid},
                 {"since", iso8601_utc(instance.since_unix_ms)},
                 {"exits", instance.exits},
                 {"endpoints", endpoints_json(instance)}};
  return row.dump();
}

Result<int> list_instances(Workshop& shop, Words words) {
  DAVIT_TRY_ASSIGN(Store * store, shop.store());
  DAVIT_TRY_ASSIGN(PluginHost * plugins, shop.plugins());
  for (const std::string& name : words) {
    DAVIT_TRY_ASSIGN(const App app, store->apps().get(name));
    DAVIT_TRY_ASSIGN(const auto groups, store->live_groups().of_app(app.id));
    for (const LiveGroup& group : groups) {
      DAVIT_TRY_ASSIGN(Runtime * runtime, plugins->runtime(group.runtime));
      DAVIT_TRY_ASSIGN(const auto instances,
                       runtime->inspect({OwnerKind::kApp, group.owner, group.revision, group.process_type, 0},
                                        shop.context()));
      for (const Instance& instance : instances) {
        shop.out().result(
            instance_line(name, instance, group.release_version, group.runtime, name_of(group.state)) + "\n");
      }
    }
  }
  return 0;
}

Result<int> show_logs(Workshop& shop, Words words) {
  DAVIT_TRY_ASSIGN(const LogOptions options, parse(words));
  DAVIT_TRY_ASSIGN(Store * store, shop.store());
  DAVIT_TRY_ASSIGN(const App app, store->apps().get(options.app));
  DAVIT_TRY_ASSIGN(PluginHost * plugins, shop.plugins());
  DAVIT_TRY_ASSIGN(const auto release, store->releases().current(app.id));
  DAVIT_TRY_ASSIGN(Runtime * runtime, plugins->runtime(release ? release->spec.runtime : ""));
  const bool as_json = options.format == "json";
  const Selector selector{OwnerKind::kApp, app.name, {}, options.type, options.number};
  if (options.query.follow) end_with_reader(shop);
  DAVIT_TRY(runtime->logs(
      selector, options.query,
      [&](const LogLine& line) {
        shop.out().result(as_json ? json_line(line) : text_line(line));
        if (options.query.follow) shop.out().flush();
      },
      shop.context()));
  return 0;
}

}  // namespace davit
