// See certificate_facts.hpp.
#include "certificate_facts.hpp"

#include <algorithm>
#include <cctype>
#include <ctime>
#include <sstream>

#include "certificates.hpp"
#include "davit/failure.hpp"

namespace davit::nginx {
namespace {

constexpr const char* kNames =
    "sep_comma_plus_space,sname,utf8,esc_ctrl,esc_2253";  // no byte that ends a line

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::int64_t unix_s_of(const std::string& time) {
  std::tm parts{};
  if (::strptime(time.c_str(), "%b %d %H:%M:%S %Y GMT", &parts) == nullptr) return 0;
  return ::timegm(&parts);
}

// "DNS:one.test, DNS:*.one.test, IP Address:127.0.0.1"
std::vector<std::string> names_in(const std::string& line) {
  std::vector<std::string> names;
  std::istringstream words(line);
  for (std::string word; words >> word;) {
    if (word.starts_with("DNS:")) names.push_back(lower(word.substr(4, word.find(',') - 4)));
  }
  return names;
}

std::string common_name(const std::string& subject) {
  const auto at = (", " + subject).rfind(", CN=");
  return at == std::string::npos ? std::string()
                                 : subject.substr(at + 3, subject.find(", ", at + 3) - at - 3);
}

bool fits(const std::string& name, const std::string& host) {
  if (name == host) return true;
  const auto dot = host.find('.');
  return name.starts_with("*.") && dot != std::string::npos && name.substr(1) == host.substr(dot);
}

}  // namespace

CertificateFacts parse_facts(const std::string& output) {
  CertificateFacts facts;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    const auto take = [&line](const std::string& key, std::string& value) {
      if (line.starts_with(key)) value = line.substr(key.size());
    };
    take("subject=", facts.subject);
    take("issuer=", facts.issuer);
    take("notBefore=", facts.starts_at);
    take("notAfter=", facts.expires_at);
    if (line.starts_with("    ")) facts.hostnames = names_in(line);
  }
  facts.expires_unix_s = unix_s_of(facts.expires_at);
  if (auto name = common_name(facts.subject); facts.hostnames.empty() && !name.empty())
    facts.hostnames = {lower(std::move(name))};
  std::ranges::sort(facts.hostnames);
  return facts;
}

CertificateFacts facts_of(Machine& machine, const std::string& file) {
  const auto result = machine.run({"openssl", "x509", "-in", file, "-noout", "-subject", "-issuer",
                                   "-startdate", "-enddate", "-ext", "subjectAltName", "-nameopt", kNames});
  auto facts = parse_facts(result.output);
  if (result.exit_code == 0 && facts.expires_unix_s != 0) return facts;
  throw sdk::Failure(DAVIT_INVALID, "bad-certificate",
                     "openssl cannot read the certificate " + file + ": " + result.output,
                     "davit certs:add APP with one that it can read");
}

std::string verification_of(Machine& machine, const std::string& file) {
  const auto result = machine.run({"openssl", "verify", "-purpose", "sslserver", "-untrusted", file, file});
  if (result.exit_code == 0) return "verified by a certificate authority";
  // "error 18 at 0 depth lookup: self-signed certificate"; 19 is one at the end of the chain.
  std::istringstream lines(result.output);
  for (std::string line; std::getline(lines, line);) {
    const auto words = line.find(" depth lookup: ");
    if (!line.starts_with("error ") || words == std::string::npos) continue;
    if (line.starts_with("error 18 ") || line.starts_with("error 19 ")) return "self signed";
    return line.substr(words + 15);
  }
  return "not verified";
}

std::string description_of(const CertificateFacts& facts) {
  const auto names = facts.hostnames.empty() ? "no hostname" : joined(facts.hostnames, " ");
  return (facts.subject.empty() ? "" : facts.subject + ", ") + "for " + names + ", until " + facts.expires_at;
}

std::vector<std::string> complaints(const CertificateFacts& facts, const std::string& app,
                                    const std::vector<std::string>& hosts, std::int64_t now_unix_s) {
  std::vector<std::string> all;
  if (facts.expires_unix_s <= now_unix_s)
    all.push_back("The certificate has expired: clients refuse it until certs:add brings a newer one");
  const bool fits_one = std::ranges::any_of(hosts, [&facts](const auto& host) {
    return std::ranges::any_of(facts.hostnames, [&host](const auto& name) { return fits(name, host); });
  });
  if (!hosts.empty() && !fits_one) {
    all.push_back("The certificate is for none of the hosts of " + app + " (" + joined(hosts, ", ") +
                  "): clients refuse it there; see davit domains:report " + app);
  }
  return all;
}

sdk::Pairs report_of(Machine& machine, const Settings& settings, const std::string& app) {
  const auto certificate = certificate_of(settings, app);
  CertificateFacts facts;
  std::string verified;
  try {
    if (certificate) {
      facts = facts_of(machine, certificate->certificate);
      verified = verification_of(machine, certificate->certificate);
    }
  } catch (const sdk::Failure& failure) {  // one that cannot be read hides no other
    verified = failure.message();
  }
  return {{"ssl-dir", settings.root + "/certs/" + app + "/current"},
          {"ssl-enabled", certificate ? "true" : "false"},
          {"ssl-expires-at", facts.expires_at},
          {"ssl-hostnames", joined(facts.hostnames, " ")},
          {"ssl-issuer", facts.issuer},
          {"ssl-starts-at", facts.starts_at},
          {"ssl-subject", facts.subject},
          {"ssl-verified", verified}};
}

}  // namespace davit::nginx
