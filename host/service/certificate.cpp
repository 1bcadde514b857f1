// See certificate.hpp.
#include "service/certificate.hpp"

#include "process/files.hpp"
#include "process/sync_tree.hpp"

namespace davit {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kLimitMs = 60'000;

Result<> make(const fs::path& folder, ProcessRunner& processes) {
  DAVIT_TRY(make_dirs(folder, 0700));
  const fs::path key = folder / "private_key.pem", certificate = folder / "certificate.pem";
  const std::string part = certificate.string() + ".part";
  Command openssl;
  openssl.argv = {"openssl",
                  "req",
                  "-x509",
                  "-newkey",
                  "ec",
                  "-pkeyopt",
                  "ec_paramgen_curve:P-256",
                  "-nodes",
                  "-days",
                  "3650",
                  "-subj",
                  "/CN=localhost",
                  "-addext",
                  "subjectAltName=IP:127.0.0.1,DNS:localhost",
                  "-keyout",
                  key.string(),
                  "-out",
                  part};
  openssl.env = {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"};
  openssl.out = OutputNone{};
  openssl.err = OutputCapture{};
  openssl.deadline_ms = kLimitMs;
  openssl.umask_bits = 077;
  DAVIT_TRY_ASSIGN(const Exit exit, processes.run(openssl));
  if (!exit.ok()) {
    return fail(Code::kFailed, "openssl made no certificate: " + exit.text() + ": " + exit.err.substr(0, 500),
                "Is it installed? apt-get install openssl", "certificate");
  }
  DAVIT_TRY(sync_tree(folder));
  std::error_code error;
  fs::rename(part, certificate, error);  // the last: where it is, the key is
  if (error) return fail(system_error("name " + certificate.string(), error.value()));
  return {};
}

}  // namespace

Result<Certificate> certificate_in(const fs::path& folder, ProcessRunner& processes) {
  std::error_code ignored;
  if (!fs::exists(folder / "certificate.pem", ignored)) DAVIT_TRY(make(folder, processes));
  Certificate found;
  DAVIT_TRY_ASSIGN(found.certificate, read_file(folder / "certificate.pem"));
  DAVIT_TRY_ASSIGN(std::string key, read_file(folder / "private_key.pem"));
  found.private_key = Secret(std::move(key));
  return found;
}

}  // namespace davit
