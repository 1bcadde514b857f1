// The certificate that a service's server shows, and its key: made once, by openssl, signed by itself. It
// keeps what passes by from being read; who wants more gives the server's word another way.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "process/process_runner.hpp"

namespace davit {

struct Certificate {
  std::string certificate;  ///< PEM
  Secret private_key;       ///< PEM
};

/// That of `folder`, made if there is none. For 127.0.0.1 and localhost.
Result<Certificate> certificate_in(const std::filesystem::path& folder, ProcessRunner& processes);

}  // namespace davit
