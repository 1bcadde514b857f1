// See logs.hpp.
#include "logs.hpp"

#include <poll.h>

#include <algorithm>
#include <list>
#include <map>
#include <set>

#include "frames.hpp"

namespace davit::docker_plugin {
namespace {

constexpr int kSliceMs = 100;
constexpr std::int64_t kLookMs = 500;        // between two looks for new containers
constexpr std::size_t kMostLines = 200'000;  // of one request without a bound, in memory

struct Line {
  std::int64_t unix_ns = 0;
  sdk::LogLine line;
};

sdk::LogLine line_of(const InstanceName& name, LogEntry entry) {
  return {name.number, entry.unix_ns / 1'000'000, name.revision, name.type, std::move(entry.text)};
}

Query query_for(bool follow, std::uint64_t lines, std::int64_t since_ns) {
  Query query{{"stdout", "1"}, {"stderr", "1"}, {"timestamps", "1"}, {"follow", follow ? "1" : "0"}};
  if (lines != 0) query.emplace_back("tail", std::to_string(lines));
  if (since_ns > 0) {
    query.emplace_back("since", std::to_string(since_ns / 1'000'000'000) + "." +
                                    std::to_string(1'000'000'000 + since_ns % 1'000'000'000).substr(1));
  }
  return query;
}

}  // namespace

/// One container whose output is followed.
struct Logs::Follower {
  Follower(Found found, std::unique_ptr<Stream> stream, std::int64_t after_ns, const sdk::LogOutput& out)
      : container(std::move(found)),
        stream(std::move(stream)),
        decoder([this, after_ns, &out](LogEntry entry) {
          if (entry.unix_ns <= after_ns) return;
          last = std::max(last, entry.unix_ns);
          out(line_of(container.name, std::move(entry)));
        }),
        last(after_ns) {}
  /// False at the end.
  bool read() {
    std::string bytes;
    if (!stream->read(bytes)) {
      decoder.finish();
      return false;
    }
    frames.feed(bytes, [this](int kind, std::string_view payload) { decoder.feed(kind, payload); });
    return true;
  }
  Found container;
  std::unique_ptr<Stream> stream;
  Frames frames;
  LogDecoder decoder;
  std::int64_t last;
};

void Logs::read(const sdk::Call& call, const sdk::Selector& selector, const sdk::LogQuery& query,
                const sdk::LogOutput& out) {
  if (selector.owner.empty()) call.fail(DAVIT_INVALID, "selector", "logs were asked for without an owner");
  std::vector<Line> lines;
  const std::int64_t since_ns = query.since_unix_ms * 1'000'000;
  const auto keep = [&](const InstanceName& name, LogEntry entry) {
    if (entry.unix_ns < since_ns) return;
    const std::int64_t ns = entry.unix_ns;
    if (lines.size() >= kMostLines)
      lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(kMostLines / 4));
    lines.push_back({ns, line_of(name, std::move(entry))});
  };
  for (const InstanceName& name : saved_.instances(selector))
    saved_.read(name, [&](LogEntry entry) { keep(name, std::move(entry)); });
  std::map<std::string, std::int64_t> last_ns;
  for (const Found& container : find_instances(base_, selector, patience(call))) {
    std::int64_t& last = last_ns[container.id];
    last = std::max<std::int64_t>(0, since_ns - 1);
    LogDecoder decoder([&](LogEntry entry) {
      last = std::max(last, entry.unix_ns);
      keep(container.name, std::move(entry));
    });
    try {
      const auto stream =
          base_.engine.stream("GET", "/containers/" + container.id + "/logs",
                              query_for(false, query.lines, since_ns), nullptr, patience(call));
      Frames frames;
      std::string bytes;
      while (stream->read(bytes)) {
        frames.feed(bytes, [&decoder](int kind, std::string_view payload) { decoder.feed(kind, payload); });
        bytes.clear();
      }
      decoder.finish();
    } catch (const EngineFailure& failure) {
      if (failure.http_status() != 404 && failure.http_status() != 409) throw;  // being removed
    }
  }
  std::ranges::stable_sort(lines, {}, &Line::unix_ns);
  const std::size_t skip = query.lines != 0 && lines.size() > query.lines ? lines.size() - query.lines : 0;
  for (std::size_t n = skip; n < lines.size(); ++n) out(lines[n].line);
  if (query.follow) follow(call, selector, std::move(last_ns), out);
}

void Logs::follow(const sdk::Call& call, const sdk::Selector& selector,
                  std::map<std::string, std::int64_t> last_ns, const sdk::LogOutput& out) {
  std::list<Follower> followers;
  std::set<std::string> ended;  // of whom all is read; they are read again when they have run again
  std::int64_t next_look = 0;
  while (!call.cancelled()) {
    if (base_.host.now_mono_ms() >= next_look) {
      next_look = base_.host.now_mono_ms() + kLookMs;
      for (Found& container : find_instances(base_, selector, patience(call))) {
        const bool known = std::ranges::any_of(
            followers, [&](const Follower& one) { return one.container.id == container.id; });
        if (known || container.state == "created") continue;
        // Who lives shorter than a look is not seen running: what it said is read all the same.
        const bool runs = container.state == "running";
        const bool has_ended = container.state == "exited" || container.state == "dead";
        if (has_ended && !ended.insert(container.id).second) continue;
        if (!has_ended) ended.erase(container.id);
        const std::int64_t after = last_ns[container.id];
        try {
          auto stream = base_.engine.stream("GET", "/containers/" + container.id + "/logs",
                                            query_for(runs, 0, after), nullptr, patience(call));
          followers.emplace_back(std::move(container), std::move(stream), after, out);
        } catch (const EngineFailure& failure) {
          if (failure.http_status() != 404 && failure.http_status() != 409) throw;  // being removed
        }
      }
    }
    std::vector<pollfd> watched;
    bool ready = false;
    for (const Follower& one : followers) {
      watched.push_back({one.stream->fd(), POLLIN, 0});
      ready = ready || one.stream->ready();
    }
    poll(watched.data(), watched.size(), ready ? 0 : kSliceMs);
    std::size_t at = 0;
    for (auto one = followers.begin(); one != followers.end(); ++at) {
      const bool has_input = one->stream->ready() || watched[at].revents != 0;
      if (!has_input) {
        ++one;
        continue;
      }
      bool more = false;
      try {
        more = one->read();
      } catch (const EngineFailure&) {  // removed, or the engine went down: the next look says more
      }
      if (more) {
        ++one;
        continue;
      }
      last_ns[one->container.id] = one->last;
      one = followers.erase(one);
    }
  }
}

}  // namespace davit::docker_plugin
