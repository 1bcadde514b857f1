// What an app's instances said: of every runtime that its releases have, as one stream by time.
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <map>
#include <set>

#include "base/text.hpp"
#include "lifecycle/detached_runs.hpp"
#include "worker/operations.hpp"
#include "worker/reader.hpp"

namespace davit {
namespace {

constexpr std::uint64_t kDefaultLogLines = 100;
constexpr std::int64_t kLookMs = 500;  // between two looks where the app runs, and what is new in more places
constexpr std::int64_t kWindowMs = 10'000;  // what is new is asked for this far back, and known by then

struct LogOptions {
  std::string app, type, format = "text";
  unsigned number = 0;
  LogQuery query{false, kDefaultLogLines, 0};
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

/// Prints each line once, though looks overlap. Two equal lines of one millisecond are two.
class LogPrinter {
 public:
  LogPrinter(Workshop& shop, const LogOptions& options) : shop_(shop), options_(options) {}

  /// From here on comes what is there since then, each line once, until the next look begins.
  void begin_look(UnixMs since_unix_ms) {
    ++look_;
    not_before_ms_ = std::max(not_before_ms_, since_unix_ms);
  }
  void print(const LogLine& line) {
    if (options_.query.follow && !is_new(line)) return;
    shop_.out().result(options_.format == "json" ? json_line(line) : text_line(line));
    if (options_.query.follow) shop_.out().flush();
  }

 private:
  struct Times {
    std::uint64_t look = 0;
    unsigned seen = 0, printed = 0;  // seen: in this look
  };
  bool is_new(const LogLine& line) {
    if (line.unix_ms < not_before_ms_) return false;
    // More of the past was not asked for.
    if (known_.empty() && options_.query.lines != 0) not_before_ms_ = line.unix_ms;
    newest_ms_ = std::max(newest_ms_, line.unix_ms);
    while (!known_.empty() && known_.begin()->first.first < newest_ms_ - 2 * kWindowMs)
      known_.erase(known_.begin());
    Times& times = known_[{line.unix_ms, json_line(line)}];
    if (times.look != look_) times.seen = 0;
    times.look = look_;
    if (++times.seen <= times.printed) return false;
    times.printed = times.seen;
    return true;
  }

  Workshop& shop_;
  const LogOptions& options_;
  std::map<std::pair<UnixMs, std::string>, Times> known_;
  std::uint64_t look_ = 0;
  UnixMs not_before_ms_ = 0, newest_ms_ = 0;
};

class AppLogs {
 public:
  AppLogs(Workshop& shop, const LifecycleServices& services, const App& app, const LogOptions& options)
      : shop_(shop),
        services_(services),
        app_(app),
        options_(options),
        selector_{OwnerKind::kApp, app.name, {}, options.type, options.number},
        printer_(shop, options) {}

  Result<> show() {
    DAVIT_TRY_ASSIGN(auto runtimes, runtimes_of_releases(services_, app_.id));
    if (runtimes.empty()) {
      DAVIT_TRY_ASSIGN(Runtime * runtime, services_.capabilities.runtime(""));
      runtimes.push_back(runtime);
    }
    printer_.begin_look(0);
    if (runtimes.size() > 1) {
      DAVIT_TRY(look(runtimes, {false, options_.query.lines, 0}));
      return options_.query.follow ? follow() : Result<>();
    }
    DAVIT_TRY_ASSIGN(const bool moved, stay(*runtimes.front(), options_.query));
    return moved ? follow() : Result<>();
  }

 private:
  // In one place new lines come as they are written; while the app is in more of them, each is looked at
  // again and again.
  Result<> follow() {
    while (!shop_.context().cancelled()) {
      DAVIT_TRY_ASSIGN(const auto runtimes, runtimes_now());
      const UnixMs since_unix_ms = shop_.clock().now_unix_ms() - kWindowMs;
      printer_.begin_look(since_unix_ms);
      if (runtimes.size() == 1) {
        DAVIT_TRY_ASSIGN(const bool moved, stay(*runtimes.front(), {true, 0, since_unix_ms}));
        if (!moved) return {};
        continue;
      }
      DAVIT_TRY(look(runtimes, {false, 0, since_unix_ms}));
      pollfd end{shop_.where().cancel ? shop_.where().cancel->fd() : -1, POLLIN, 0};
      (void)poll(&end, 1, kLookMs);
    }
    return {};
  }

  // True: it ended because the app has instances elsewhere.
  Result<bool> stay(Runtime& runtime, const LogQuery& query) {
    bool moved = false;
    MonoMs next_look = shop_.clock().now_mono_ms();
    CallContext context = shop_.context();
    context.cancelled = [&] {
      if (moved || shop_.context().cancelled()) return true;
      if (!query.follow || shop_.clock().now_mono_ms() < next_look) return false;
      next_look = shop_.clock().now_mono_ms() + kLookMs;
      const auto now = runtimes_now();
      moved = now && *now != std::vector{&runtime};
      return moved;
    };
    const auto read = runtime.logs(
        selector_, query, [&](const LogLine& line) { printer_.print(line); }, context);
    const bool ended =
        query.follow && shop_.context().cancelled();  // Ctrl-C: some runtimes call that an error
    if (!read && !moved && !ended) return fail(read.error());
    return moved;
  }

  // Where a runtime other than the live release's cannot be asked, what it has is missing, and that is said.
  Result<> look(const std::vector<Runtime*>& runtimes, const LogQuery& query) {
    std::deque<LogLine> lines;
    for (Runtime* runtime : runtimes) {
      const auto read = runtime->logs(
          selector_, query, [&](const LogLine& line) { lines.push_back(line); }, shop_.context());
      if (read) continue;
      if (runtime == runtimes.front()) return fail(read.error());
      if (silent_.insert(runtime).second) shop_.out().warning(read.error().text());
    }
    std::ranges::stable_sort(lines, {}, &LogLine::unix_ms);
    while (query.lines != 0 && lines.size() > query.lines) lines.pop_front();
    for (const LogLine& line : lines) printer_.print(line);
    return {};
  }

  // The live release's first; then those where others of its instances are: launching, or draining.
  Result<std::vector<Runtime*>> runtimes_now() {
    std::vector<Runtime*> found;
    const auto add = [&](const std::string& id) -> Result<> {
      DAVIT_TRY_ASSIGN(Runtime * runtime, services_.capabilities.runtime(id));
      if (std::ranges::find(found, runtime) == found.end()) found.push_back(runtime);
      return {};
    };
    DAVIT_TRY_ASSIGN(const auto live, services_.store.releases().current(app_.id));
    DAVIT_TRY(add(live ? live->spec.runtime : ""));
    DAVIT_TRY_ASSIGN(const auto groups, services_.store.live_groups().of_app(app_.id));
    for (const LiveGroup& group : groups) DAVIT_TRY(add(group.runtime));
    return found;
  }

  Workshop& shop_;
  const LifecycleServices& services_;
  const App& app_;
  const LogOptions& options_;
  const Selector selector_;
  LogPrinter printer_;
  std::set<Runtime*> silent_;  // it was said that they do not answer
};

}  // namespace

Result<int> show_logs(Workshop& shop, Words words) {
  DAVIT_TRY_ASSIGN(const LogOptions options, parse(words));
  DAVIT_TRY_ASSIGN(const LifecycleServices services, shop.lifecycle());
  DAVIT_TRY_ASSIGN(const App app, services.store.apps().get(options.app));
  if (options.query.follow) end_with_reader(shop);
  DAVIT_TRY(AppLogs(shop, services, app, options).show());
  return 0;
}

}  // namespace davit
