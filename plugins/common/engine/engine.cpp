// See engine.hpp.
#include "engine/engine.hpp"

#include <Poco/Buffer.h>
#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <optional>

#include "engine/engine_failure.hpp"

namespace davit::docker {
namespace {

using Poco::Net::HTTPRequest;
using Poco::Net::HTTPResponse;

constexpr std::pair<int, int> kOldest{1, 41};  // Docker 20.10, Podman 3
constexpr std::pair<int, int> kNewest{1, 47};  // the newest whose changes were read
constexpr std::size_t kLargestAnswer = 64U << 20;

std::optional<std::pair<int, int>> parsed_version(const std::string& text) {
  std::pair<int, int> version;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%d.%d%c", &version.first, &version.second, &rest) != 2) return std::nullopt;
  return version;
}

std::string text_of(const std::pair<int, int>& version) {
  return fmt::format("{}.{}", version.first, version.second);
}

/// The engine answered before the whole body was sent: its answer says why.
struct UploadCut {};

bool is_success(int status) {
  return (status >= 200 && status < 300) || status == 304 || status == 101;
}

}  // namespace

std::string negotiate(const std::string& engine_min, const std::string& engine_max) {
  const auto newest = parsed_version(engine_max);
  const auto oldest = parsed_version(engine_min.empty() ? "1.0" : engine_min);
  if (!newest || !oldest) {
    throw EngineFailure(DAVIT_UNAVAILABLE, 0, "engine-garbled",
                        fmt::format("The engine names its API version as '{}'", engine_max),
                        "check that the setting `socket` names a Docker engine's socket");
  }
  if (*newest < kOldest) {
    throw EngineFailure(DAVIT_UNSUPPORTED, 0, "engine-too-old",
                        fmt::format("The engine speaks API {}; davit needs {}", engine_max, text_of(kOldest)),
                        "upgrade it to Docker 20.10 or later");
  }
  if (*oldest > kNewest) {
    throw EngineFailure(
        DAVIT_UNSUPPORTED, 0, "engine-too-new",
        fmt::format("The engine speaks API {} and later; this davit knows {}", engine_min, text_of(kNewest)),
        "upgrade davit");
  }
  return text_of(std::min(*newest, kNewest));
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~' || c == '/' || c == ':';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

Stream::Stream(std::unique_ptr<EngineSession> session, std::istream& body, std::int64_t length, bool chunked,
               std::string socket)
    : session_(std::move(session)),
      body_(&body),
      left_(length),
      chunked_(chunked),
      socket_(std::move(socket)) {}

bool Stream::read(std::string& buffer) {
  // Straight from the stream's buffer: the istream itself would swallow what the socket throws.
  if (left_ == 0) return false;
  if (body_->rdbuf()->sgetc() == std::char_traits<char>::eof()) {
    session_->rethrow();
    if ((chunked_ && session_->engine_socket()->saw_end()) || left_ > 0)
      throw engine_garbled(socket_, "the answer breaks off");
    return false;
  }
  const std::streamsize there = body_->rdbuf()->in_avail();
  const std::size_t before = buffer.size();
  buffer.resize(before + static_cast<std::size_t>(there));
  const std::streamsize got = body_->rdbuf()->sgetn(buffer.data() + before, there);
  buffer.resize(before + static_cast<std::size_t>(got));
  if (left_ > 0) left_ -= std::min<std::int64_t>(left_, got);
  return true;
}

bool Stream::ready() const {
  return body_->rdbuf()->in_avail() > 0 || session_->has_buffered();
}

Hijacked::~Hijacked() {
  close(fd_);
}

std::string read_all(Stream& stream) {
  std::string text;
  while (stream.read(text)) {
    if (text.size() > kLargestAnswer)
      throw EngineFailure(DAVIT_UNAVAILABLE, 0, "engine-garbled", "The engine's answer is larger than 64 MiB",
                          "see the engine's own log");
  }
  return text;
}

void read_messages(Stream& stream, const std::function<void(const Json&)>& use) {
  std::string rest;
  bool more = true;
  while (more) {
    more = stream.read(rest);
    std::size_t end = 0;
    while ((end = rest.find('\n')) != std::string::npos || (!more && !rest.empty())) {
      const std::string line = rest.substr(0, end);
      rest.erase(0, end == std::string::npos ? rest.size() : end + 1);
      if (line.find_first_not_of(" \r\t") == std::string::npos) continue;
      const Json message = Json::parse(line, nullptr, false);
      if (!message.is_object()) throw engine_garbled("the engine", "a progress message is not JSON");
      if (message.contains("error"))
        throw engine_refused(500, Json{{"message", message.value("error", std::string())}}.dump(),
                             "the request");
      if (use) use(message);
    }
  }
}

struct Engine::Question {
  std::string method;
  std::string target;
  std::string what;  ///< for errors: without the query, which may be long
  std::string content_type;
  std::string body;
  const BodySource* source = nullptr;
  Headers headers = {};
};

std::string Engine::target(const std::string& path, const Query& query, const Patience& patience) {
  std::string text = "/v" + version(patience).api + percent_encoded(path);
  char separator = '?';
  for (const auto& [key, value] : query) {
    text += separator + key + "=" + percent_encoded(value);
    separator = '&';
  }
  return text;
}

/// Sends, and reads the head of the answer. An error's body becomes an EngineFailure.
std::unique_ptr<Stream> Engine::ask(const Question& question, const Patience& patience) {
  auto session = std::make_unique<EngineSession>(socket_, patience);
  HTTPResponse response;
  std::istream* body = nullptr;
  try {
    HTTPRequest request(question.method, question.target, HTTPRequest::HTTP_1_1);
    request.setHost("docker");
    request.set("User-Agent", "davit");
    for (const auto& [name, value] : question.headers) request.set(name, value);
    if (!question.content_type.empty()) request.setContentType(question.content_type);
    if (question.source != nullptr) {
      request.setChunkedTransferEncoding(true);
    } else if (question.method != HTTPRequest::HTTP_GET) {
      request.setContentLength64(static_cast<Poco::Int64>(question.body.size()));
    }
    std::ostream& out = session->sendRequest(request);
    if (question.source != nullptr) {
      try {
        (*question.source)([&out](std::string_view bytes) {
          if (!out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()))) throw UploadCut{};
        });
      } catch (const UploadCut&) {
      }
    } else {
      out << question.body;
    }
    session->rethrow();
    body = &session->receiveResponse(response);
    session->rethrow();
  } catch (const Poco::Exception& error) {
    session->rethrow();
    throw engine_garbled(socket_, error.displayText());
  }
  const bool chunked = response.getChunkedTransferEncoding();
  const std::int64_t length = chunked || !response.hasContentLength() ? -1 : response.getContentLength64();
  auto stream = std::make_unique<Stream>(std::move(session), *body, length, chunked, socket_);
  if (is_success(response.getStatus())) return stream;
  throw engine_refused(response.getStatus(), read_all(*stream), question.what);
}

Json Engine::whole_json(Stream& stream, const std::string& what) const {
  const std::string text = read_all(stream);
  if (text.find_first_not_of(" \r\n\t") == std::string::npos) return nullptr;
  Json parsed = Json::parse(text, nullptr, false);
  if (parsed.is_discarded()) throw engine_garbled(socket_, "the answer to " + what + " is not JSON");
  return parsed;
}

const ServerVersion& Engine::version(const Patience& patience) {
  if (!version_.api.empty()) return version_;
  const Question question{"GET", "/version", "GET /version", "", ""};
  const auto stream = ask(question, patience);
  const Json said = whole_json(*stream, question.what);
  const auto text = [&said](const char* key) {
    return said.is_object() && said.contains(key) && said[key].is_string() ? said[key].get<std::string>()
                                                                           : "";
  };
  if (text("ApiVersion").empty()) throw engine_garbled(socket_, "/version names no ApiVersion");
  ServerVersion found{text("Version"), negotiate(text("MinAPIVersion"), text("ApiVersion")),
                      text("Os") + "/" + text("Arch"), false};
  if (said.contains("Components") && said["Components"].is_array()) {
    for (const Json& part : said["Components"])
      found.podman = found.podman || part.value("Name", std::string()).starts_with("Podman");
  }
  version_ = found;
  return version_;
}

template <typename Work>
auto Engine::in_its_version(const Work& work) -> decltype(work()) {
  const bool remembered = !version_.api.empty();
  try {
    return work();
  } catch (const EngineFailure& failure) {
    const bool refused =
        failure.http_status() == 400 && failure.words().find("client version") != std::string::npos;
    if (refused || failure.http_status() == 0) version_ = {};
    if (!refused || !remembered) throw;
  }
  return work();
}

Json Engine::get(const std::string& path, const Query& query, const Patience& patience) {
  const auto answer = stream("GET", path, query, nullptr, patience);
  Json said = whole_json(*answer, "GET " + path);
  if (said.is_null()) throw engine_garbled(socket_, "the answer to GET " + path + " is empty");
  return said;
}

Json Engine::post(const std::string& path, const Query& query, const Json& body, const Patience& patience) {
  const auto answer = stream("POST", path, query, body, patience);
  return whole_json(*answer, "POST " + path);
}

void Engine::remove(const std::string& path, const Query& query, const Patience& patience) {
  const auto answer = stream("DELETE", path, query, nullptr, patience);
  (void)read_all(*answer);
}

bool Engine::find(const std::string& path, const Query& query, Json& found, const Patience& patience) {
  try {
    found = get(path, query, patience);
    return true;
  } catch (const EngineFailure& failure) {
    if (failure.http_status() != 404) throw;
    return false;
  }
}

std::unique_ptr<Stream> Engine::stream(const std::string& method, const std::string& path, const Query& query,
                                       const Json& body, const Patience& patience, const Headers& headers) {
  return in_its_version([&] {
    Question question{method, target(path, query, patience), method + " " + path, "", "", nullptr, headers};
    if (!body.is_null()) {
      question.content_type = "application/json";
      question.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    return ask(question, patience);
  });
}

std::unique_ptr<Stream> Engine::upload(const std::string& method, const std::string& path, const Query& query,
                                       const std::string& content_type, const BodySource& source,
                                       const Patience& patience, const Headers& headers) {
  return in_its_version([&] {
    const Question question{
        method, target(path, query, patience), method + " " + path, content_type, "", &source, headers};
    return ask(question, patience);
  });
}

std::unique_ptr<Hijacked> Engine::hijack(const std::string& path, const Query& query, const Json& body,
                                         const Patience& patience) {
  return in_its_version([&] { return hijack_once(path, query, body, patience); });
}

std::unique_ptr<Hijacked> Engine::hijack_once(const std::string& path, const Query& query, const Json& body,
                                              const Patience& patience) {
  const std::string where = target(path, query, patience);
  EngineSession session(socket_, patience);
  try {
    HTTPRequest request("POST", where, HTTPRequest::HTTP_1_1);
    request.setHost("docker");
    request.set("Connection", "Upgrade");
    request.set("Upgrade", "tcp");
    const std::string text = body.is_null() ? "" : body.dump();
    if (!text.empty()) request.setContentType("application/json");
    request.setContentLength64(static_cast<Poco::Int64>(text.size()));
    session.sendRequest(request) << text;
    session.rethrow();
    HTTPResponse response;
    std::istream& in = session.receiveResponse(response);
    session.rethrow();
    if (!is_success(response.getStatus())) {
      std::string said;
      int c = 0;
      while (said.size() < 4096 && (c = in.get()) != std::char_traits<char>::eof())
        said += static_cast<char>(c);
      throw engine_refused(response.getStatus(), said, "POST " + path);
    }
    Poco::Buffer<char> first(0);
    session.drainBuffer(first);
    const int fd = dup(session.fd());
    if (fd < 0) throw engine_garbled(socket_, "no file descriptor is left");
    return std::make_unique<Hijacked>(fd, std::string(first.begin(), first.size()));
  } catch (const Poco::Exception& error) {
    session.rethrow();
    throw engine_garbled(socket_, error.displayText());
  }
}

}  // namespace davit::docker
