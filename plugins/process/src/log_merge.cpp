// See log_merge.hpp.
#include "log_merge.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <queue>

#include "davit/failure.hpp"
#include "trees.hpp"

namespace davit::process_plugin {
namespace {

struct Pending {
  LogEntry entry;
  LogReader* reader = nullptr;
};

/// The oldest first; at the same time by instance, so that the order is always the same.
struct Later {
  bool operator()(const Pending& a, const Pending& b) const {
    if (a.entry.unix_ms != b.entry.unix_ms) return a.entry.unix_ms > b.entry.unix_ms;
    return a.reader->instance() > b.reader->instance();
  }
};

sdk::LogLine line_of(const Pending& pending) {
  const InstanceName& name = pending.reader->instance();
  return sdk::LogLine{name.number, pending.entry.unix_ms, name.group.revision, name.group.type,
                      pending.entry.text};
}

template <class Use>
void merge(const std::vector<std::unique_ptr<LogReader>>& readers, Use&& use) {
  std::priority_queue<Pending, std::vector<Pending>, Later> heads;
  const auto refill = [&heads](LogReader* reader) {
    if (std::optional<LogEntry> entry = reader->next()) heads.push(Pending{std::move(*entry), reader});
  };
  for (const auto& reader : readers) refill(reader.get());
  while (!heads.empty()) {
    const Pending oldest = heads.top();
    heads.pop();
    use(oldest);
    refill(oldest.reader);
  }
}

}  // namespace

LogMerge::LogMerge(std::string owner_folder, sdk::Selector selector)
    : owner_folder_(std::move(owner_folder)), selector_(std::move(selector)) {
  find_folders();
}

LogMerge::~LogMerge() {
  if (inotify_ >= 0) close(inotify_);
}

void LogMerge::find_folders() {
  for (const std::string& name : names_in(owner_folder_)) {
    const std::string folder = owner_folder_ + "/" + name;
    const auto known = [&](const auto& reader) { return reader->folder() == folder; };
    if (std::ranges::any_of(readers_, known)) continue;
    const std::optional<InstanceName> instance = parse_instance(selector_.owner + "." + name);
    if (!instance || !matches(selector_, *instance)) continue;
    readers_.push_back(std::make_unique<LogReader>(*instance, folder));
    if (inotify_ >= 0) watch(folder);
  }
}

void LogMerge::read_present(const sdk::LogQuery& query, const sdk::LogOutput& out) {
  for (const auto& reader : readers_) reader->seek_last(query.lines);
  std::deque<sdk::LogLine> last;
  merge(readers_, [&](const Pending& pending) {
    if (pending.entry.unix_ms < query.since_unix_ms) return;
    if (query.lines == 0) return out(line_of(pending));
    last.push_back(line_of(pending));
    if (last.size() > query.lines) last.pop_front();
  });
  for (const sdk::LogLine& line : last) out(line);
}

void LogMerge::watch(const std::string& folder) const {
  inotify_add_watch(inotify_, folder.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
}

void LogMerge::wait(int wait_ms) const {
  pollfd watched{inotify_, POLLIN, 0};
  if (poll(&watched, 1, wait_ms) <= 0) return;
  char events[4096];
  while (read(inotify_, events, sizeof events) > 0) {
  }
}

void LogMerge::read_new(int wait_ms, const sdk::LogOutput& out) {
  if (inotify_ < 0) {
    inotify_ = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (inotify_ < 0) throw sdk::Failure(DAVIT_UNAVAILABLE, "inotify", "cannot watch the logs for changes");
    for (const auto& reader : readers_) watch(reader->folder());
  } else {
    wait(wait_ms);
  }
  watch(owner_folder_);  // it may not have existed before
  find_folders();
  merge(readers_, [&out](const Pending& pending) { out(line_of(pending)); });
}

}  // namespace davit::process_plugin
