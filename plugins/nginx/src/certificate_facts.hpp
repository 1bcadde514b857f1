// What a certificate says of itself, as openssl reads it: for certs:report, and for warnings of one that
// clients refuse. Whether it fits its key is nginx's to say.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "davit/text.hpp"
#include "machine.hpp"
#include "model.hpp"

namespace davit::nginx {

struct CertificateFacts {
  std::string subject;                 // "O=Example, CN=shop.example.com"
  std::string issuer;                  // likewise
  std::string starts_at;               // "Oct  5 23:59:59 2026 GMT", openssl's form
  std::string expires_at;              // likewise
  std::int64_t expires_unix_s = 0;     // the same
  std::vector<std::string> hostnames;  // lower case, sorted; "*.example.com" stands for one label
};

// Of the first certificate in the file, the app's own. Throws with openssl's words.
CertificateFacts facts_of(Machine& machine, const std::string& file);
CertificateFacts parse_facts(const std::string& output);

// Dokku's words: "verified by a certificate authority" (one that this machine trusts), "self signed", or why
// not.
std::string verification_of(Machine& machine, const std::string& file);

// "CN=shop.example.com, for shop.example.com, until Oct  5 23:59:59 2026 GMT"
std::string description_of(const CertificateFacts& facts);

// What makes clients refuse it, one sentence each. No hosts: nothing is said of them.
std::vector<std::string> complaints(const CertificateFacts& facts, const std::string& app,
                                    const std::vector<std::string>& hosts, std::int64_t now_unix_s);

// The lines of certs:report.
sdk::Pairs report_of(Machine& machine, const Settings& settings, const std::string& app);

}  // namespace davit::nginx
