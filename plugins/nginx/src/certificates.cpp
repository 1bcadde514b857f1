// See certificates.hpp.
#include "certificates.hpp"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <functional>

#include "davit/failure.hpp"
#include "files/files.hpp"

namespace davit::nginx {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kLargestPem = 1024 * 1024;

fs::path directory_of(const Settings& settings, const std::string& app) {
  return fs::path(settings.root) / "certs" / app;
}

[[noreturn]] void refuse(const std::string& message) {
  throw sdk::Failure(
      DAVIT_INVALID, "bad-certificate", message,
      "davit certs:add APP CERTIFICATE KEY with two PEM files, or davit certs:add APP < both.pem");
}

std::string read_all(int fd) {
  std::string text;
  char buffer[8192];
  while (true) {
    const auto n = ::read(fd, buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > kLargestPem) refuse("the certificate is larger than 1 MiB");
  }
  return text;
}

std::string read_or_refuse(const std::string& path) {
  const auto text = files::read_file(path);
  if (!text || text->size() > kLargestPem) refuse("cannot read " + path);
  return *text;
}

}  // namespace

Pem split_pem(const std::string& text) {
  Pem pem;
  std::size_t at = 0;
  while ((at = text.find("-----BEGIN ", at)) != std::string::npos) {
    const auto label_end = text.find("-----", at + 11);
    if (label_end == std::string::npos) break;
    const auto label = text.substr(at + 11, label_end - at - 11);
    const auto closing = "-----END " + label + "-----";
    const auto end = text.find(closing, label_end);
    if (end == std::string::npos) break;
    const auto block = text.substr(at, end + closing.size() - at) + "\n";
    if (label.find("PRIVATE KEY") != std::string::npos) {
      if (!pem.key.empty()) refuse("there are two private keys");
      pem.key = block;
    } else if (label == "CERTIFICATE") {
      pem.certificate += block;
    }
    at = end + closing.size();
  }
  if (pem.certificate.empty()) refuse("there is no certificate in PEM form");
  if (pem.key.empty()) refuse("there is no private key in PEM form");
  return pem;
}

std::optional<Certificate> certificate_of(const Settings& settings, const std::string& app) {
  const auto directory = directory_of(settings, app);
  std::error_code error;
  const auto stamp = fs::read_symlink(directory / "current", error);
  if (error) return std::nullopt;
  const auto version = directory / stamp;
  return Certificate{version / "server.crt", version / "server.key"};
}

CertificateFacts add_certificate(const sdk::Call& call, Engine& engine, Machine& machine,
                                 const sdk::Command& command) {
  const auto app = command.arg(0);
  std::string text;
  if (command.args.size() == 3) {
    // Files are read with the core's rights: only for who sits at the machine.
    if (call.actor().rfind("ssh:", 0) == 0) refuse("over ssh the certificate comes on stdin");
    text = read_or_refuse(command.arg(1)) + "\n" + read_or_refuse(command.arg(2));
  } else if (command.args.size() == 1) {
    text = read_all(command.fds[0]);
  } else {
    refuse("a certificate needs its key");
  }
  const auto pem = split_pem(text);
  const auto directory = directory_of(engine.settings(), app);
  const auto stamp = std::to_string(std::hash<std::string>()(pem.certificate + pem.key));
  const auto version = directory / stamp;
  files::make_dirs(version, 0700);
  files::write_file(version / "server.key", pem.key, 0600);
  files::write_file(version / "server.crt", pem.certificate, 0600);
  const auto before = certificate_of(engine.settings(), app);
  const Certificate certificate{version / "server.crt", version / "server.key"};
  CertificateFacts facts;
  try {
    engine.check_certificate(app, certificate);
    facts = facts_of(machine, certificate.certificate);
  } catch (...) {
    std::error_code ignored;
    if (before != certificate) fs::remove_all(version, ignored);
    throw;
  }
  std::error_code error;
  fs::remove(directory / "next", error);
  fs::create_symlink(stamp, directory / "next", error);
  if (!error) fs::rename(directory / "next", directory / "current", error);
  if (error)
    throw sdk::Failure(DAVIT_FAILED, "file-not-written", "cannot keep the certificate: " + error.message());
  return facts;
}

bool remove_certificate(const Settings& settings, const std::string& app) {
  // The link first: nothing may point at what is gone. Files stay until then, the running nginx has read
  // them.
  std::error_code error;
  const bool removed = fs::remove(directory_of(settings, app) / "current", error);
  if (error)
    throw sdk::Failure(DAVIT_FAILED, "file-not-removed", "cannot remove the certificate: " + error.message());
  return removed;
}

void forget_certificates(const Settings& settings, const std::string& app) {
  std::error_code error;
  fs::remove_all(directory_of(settings, app), error);
  if (error)
    throw sdk::Failure(
        DAVIT_FAILED, "file-not-removed", "cannot remove the certificates of " + app + ": " + error.message(),
        "remove the folder yourself, it has a private key: " + directory_of(settings, app).string());
}

void sweep_certificates(const Settings& settings) {
  const auto limit = fs::file_time_type::clock::now() - std::chrono::hours(1);
  const auto is_old = [&](const fs::path& path) {
    std::error_code error;
    const auto time = fs::last_write_time(path, error);
    return !error && time < limit;
  };
  std::error_code error;
  std::error_code ignored;
  for (const auto& app : fs::directory_iterator(fs::path(settings.root) / "certs", error)) {
    const auto name = app.path().filename().string();
    const auto current = certificate_of(settings, name);
    const auto site = files::read_file(settings.root + "/sites/" + name + ".conf").value_or("");
    for (const auto& version : fs::directory_iterator(app.path(), error)) {
      const auto path = version.path();
      if (version.is_symlink() || !is_old(path)) continue;
      const bool used = (current && fs::path(current->key).parent_path() == path) ||
                        site.find(path.string()) != std::string::npos;
      if (!used) fs::remove_all(path, ignored);
    }
  }
}

void copy_certificate(const Settings& settings, const std::string& from, const std::string& to) {
  if (!certificate_of(settings, from)) return;
  std::error_code error;
  files::make_dirs(directory_of(settings, to).parent_path(), 0700);
  fs::copy(
      directory_of(settings, from), directory_of(settings, to),
      fs::copy_options::recursive | fs::copy_options::copy_symlinks | fs::copy_options::overwrite_existing,
      error);
  if (error)
    throw sdk::Failure(DAVIT_FAILED, "file-not-written", "cannot copy the certificate: " + error.message());
}

}  // namespace davit::nginx
