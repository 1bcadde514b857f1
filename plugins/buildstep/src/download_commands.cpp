// See download_commands.hpp.
#include "download_commands.hpp"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>

#include "davit/failure.hpp"
#include "files.hpp"
#include "report_text.hpp"

namespace davit::buildstep {
namespace {

constexpr std::uint32_t kIdCharacters = 20;
constexpr std::size_t kShownDigits = 12;

std::string time_text(std::int64_t unix_s) {
  return fmt::format("{:%FT%TZ}", fmt::gmtime(static_cast<std::time_t>(unix_s)));
}

std::string json_of(const KeptDownload& kept) {
  return fmt::format(R"({{"url":{},"bytes":{},"sha256":"{}","stored-at":"{}","used-at":"{}"}})",
                     json_text(kept.url), kept.bytes, kept.sha256, time_text(kept.stored_unix_s),
                     time_text(kept.used_unix_s));
}

}  // namespace

AppDownloads::AppDownloads(const sdk::Host& host, const sdk::Call& call)
    : host_(host), call_(call), store_(std::filesystem::path(host.paths(call).state()) / "downloads") {}

std::optional<std::string> AppDownloads::find_id(const std::string& app) const {
  return host_.kv(call_).get(app, kDownloadsKey);
}

std::string AppDownloads::id(const std::string& app) const {
  if (auto known = find_id(app)) return *known;
  const std::string made = host_.secrets(call_).random(kIdCharacters);
  host_.kv(call_).set(app, kDownloadsKey, made);
  return made;
}

sdk::Strings AppDownloads::ids() const {
  sdk::Strings all;
  for (const std::string& app : host_.apps(call_).names()) {
    if (auto known = find_id(app)) all.push_back(std::move(*known));
  }
  return all;
}

bool AppDownloads::is_on(const std::string& app, std::string_view key) const {
  return host_.properties(call_).get(app, kDownloadsGroup, key).value_or("true") == "true";
}

void AppDownloads::settle(const std::string& app) const {
  const sdk::Settings settings = host_.settings(call_);
  if (const auto known = find_id(app)) store_.settle(*known, settings.size_bytes("download-cache-size", 0));
  store_.settle_all(ids(), settings.size_bytes("download-cache-total", 0));
}

int DownloadCommands::run(const sdk::Command& command) {
  if (command.name == "downloads:list") return list(command);
  if (command.name == "downloads:purge") return purge(command);
  return show_reports(host_, call_, command, kDownloadsGroup,
                      [this](const std::string& app) { return rows(app); });
}

int DownloadCommands::list(const sdk::Command& command) {
  const auto id = downloads_.find_id(command.arg(0));
  const auto all = id ? downloads_.store().list(*id) : std::vector<KeptDownload>();
  if (wants_json(command)) {
    std::string text;
    for (const KeptDownload& kept : all) text += (text.empty() ? "" : ",") + json_of(kept);
    call_.result_line("[" + text + "]");
    return 0;
  }
  call_.header(fmt::format("{} downloads", command.arg(0)));
  for (const KeptDownload& kept : all) {
    call_.result_line(fmt::format("       {:>9}  {}  {}  {}", human_bytes(kept.bytes),
                                  time_text(kept.used_unix_s), kept.sha256.substr(0, kShownDigits),
                                  kept.url));
  }
  return 0;
}

int DownloadCommands::purge(const sdk::Command& command) {
  const bool all = command.has("all");
  if (all == !command.args.empty()) {
    throw sdk::Failure(DAVIT_INVALID, "app-missing", "Please specify an app to run the command on",
                       "Or --all for all apps");
  }
  sdk::Strings ids;
  if (all) {
    ids = downloads_.ids();
  } else {
    (void)host_.apps(call_).report(command.arg(0));
    if (auto id = downloads_.find_id(command.arg(0))) ids.push_back(std::move(*id));
  }
  std::uint64_t gone = 0;
  for (const std::string& id : ids) gone += downloads_.store().purge(id, command.arg(1));
  call_.step(fmt::format("Removed {} download{}", gone, gone == 1 ? "" : "s"));
  return 0;
}

sdk::Pairs DownloadCommands::rows(const std::string& app) const {
  sdk::Pairs rows;
  const sdk::Properties properties = host_.properties(call_);
  for (const std::string key : {"cache", "wrapper"}) {
    rows.emplace_back("downloads-computed-" + key, downloads_.is_on(app, key) ? "true" : "false");
    rows.emplace_back("downloads-global-" + key,
                      properties.get_own("", kDownloadsGroup, key).value_or("true"));
    if (!app.empty())
      rows.emplace_back("downloads-" + key, properties.get_own(app, kDownloadsGroup, key).value_or(""));
  }
  CacheSize size;
  for (const std::string& id :
       app.empty() ? downloads_.ids() : sdk::Strings{downloads_.find_id(app).value_or("")}) {
    if (id.empty()) continue;
    const CacheSize more = downloads_.store().size(id);
    size.bytes += more.bytes;
    size.files += more.files;
  }
  rows.emplace_back("downloads-bytes", std::to_string(size.bytes));
  rows.emplace_back("downloads-count", std::to_string(size.files));
  rows.emplace_back("downloads-limit-bytes",
                    std::to_string(host_.settings(call_).size_bytes(
                        app.empty() ? "download-cache-total" : "download-cache-size", 0)));
  return rows;
}

}  // namespace davit::buildstep
