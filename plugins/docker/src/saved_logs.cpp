// See saved_logs.hpp. A line is "NANOSECONDS text"; one that is "= ID" says of which container those below
// are.
#include "saved_logs.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <fstream>

#include "files/files.hpp"
#include "frames.hpp"

namespace davit::docker_plugin {

void LogDecoder::feed(int stream, std::string_view payload) {
  Part& part = parts_[stream & 3];
  const std::size_t blank = payload.find(' ');
  const std::int64_t time =
      blank == std::string_view::npos ? 0 : unix_ns_of(std::string(payload.substr(0, blank)));
  if (time != 0) payload.remove_prefix(blank + 1);
  if (!part.begun) part.unix_ns = time;
  part.begun = true;
  const bool whole = payload.ends_with('\n');
  if (whole) payload.remove_suffix(1);
  part.text.append(payload);
  if (!whole) return;
  use_({part.unix_ns, std::move(part.text)});
  part = Part();
}

void LogDecoder::finish() {
  for (Part& part : parts_) {
    if (part.begun) use_({part.unix_ns, std::move(part.text)});
    part = Part();
  }
}

std::string SavedLogs::folder(std::uint32_t owner_kind, const std::string& owner) const {
  return owner_kind == DAVIT_OWNER_SERVICE ? base_.config.state + "/logs/" + owner
                                           : base_.config.app_logs + "/" + owner;
}

std::string SavedLogs::file(const InstanceName& name) const {
  return folder(name.owner_kind, name.owner) + "/" + name.revision + "." + name.type + "." +
         std::to_string(name.number) + ".container";
}

/// Beside the file, and renamed when all of it is there: a full disk leaves what was saved before. What
/// follows a line of the container itself is of an earlier try.
void SavedLogs::write(const Found& container, Stream& log) const {
  const std::string path = file(container.name);
  const std::string part = path + ".tmp";
  const std::string heading = "= " + container.id;
  std::ifstream before(path, std::ios::binary);
  std::ofstream out(part, std::ios::binary | std::ios::trunc);
  for (std::string line; std::getline(before, line) && line != heading;) out << line << '\n';
  out << heading << '\n';
  LogDecoder decoder([&out](const LogEntry& entry) { out << entry.unix_ns << ' ' << entry.text << '\n'; });
  Frames frames;
  std::string bytes;
  while (log.read(bytes)) {
    frames.feed(bytes, [&decoder](int kind, std::string_view payload) { decoder.feed(kind, payload); });
    bytes.clear();
  }
  decoder.finish();
  out.close();
  const files::Descriptor written(open(part.c_str(), O_RDONLY | O_CLOEXEC));
  if (out && fsync(written.get()) == 0 && rename(part.c_str(), path.c_str()) == 0) return;
  throw sdk::Failure(DAVIT_UNAVAILABLE, "log-not-saved", "cannot write " + path, "see disk space");
}

void SavedLogs::save(const sdk::Call& call, const Found& container) const {
  try {
    const auto stream =
        base_.engine.stream("GET", "/containers/" + container.id + "/logs",
                            {{"stdout", "1"}, {"stderr", "1"}, {"timestamps", "1"}}, nullptr, steady());
    files::make_dirs(folder(container.name.owner_kind, container.name.owner));
    write(container, *stream);
  } catch (const sdk::Failure& failure) {
    unlink((file(container.name) + ".tmp").c_str());
    call.log_warn("the last output of " + container.name.text() + " is lost: " + failure.message());
  }
}

std::vector<InstanceName> SavedLogs::instances(const sdk::Selector& selector) const {
  constexpr std::string_view kEnding = ".container";
  std::vector<InstanceName> found;
  for (const std::string& entry : files::names_in(folder(selector.owner_kind, selector.owner))) {
    if (!entry.ends_with(kEnding)) continue;
    auto name = parse_instance(selector.owner + "." + entry.substr(0, entry.size() - kEnding.size()));
    if (!name) continue;
    name->owner_kind = selector.owner_kind;
    if (matches(selector, *name)) found.push_back(std::move(*name));
  }
  return found;
}

void SavedLogs::forget(const sdk::Selector& selector) const {
  for (const InstanceName& name : instances(selector)) files::remove_file(file(name));
  rmdir(folder(selector.owner_kind, selector.owner).c_str());  // if that was all
}

void SavedLogs::read(const InstanceName& name, const std::function<void(LogEntry)>& use) const {
  std::ifstream in(file(name), std::ios::binary);
  for (std::string line; std::getline(in, line);) {
    LogEntry entry;
    const auto parsed = std::from_chars(line.data(), line.data() + line.size(), entry.unix_ns);
    if (parsed.ec != std::errc() || *parsed.ptr != ' ') continue;
    entry.text = line.substr(static_cast<std::size_t>(parsed.ptr - line.data()) + 1);
    use(std::move(entry));
  }
}

}  // namespace davit::docker_plugin
