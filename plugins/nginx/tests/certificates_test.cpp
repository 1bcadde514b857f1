// A PEM text in two, and what is said of a certificate.
#include "certificates.hpp"

#include <gmock/gmock.h>

#include "davit/failure.hpp"

namespace davit::nginx {
namespace {

constexpr const char* kLeaf = "-----BEGIN CERTIFICATE-----\nbGVhZg==\n-----END CERTIFICATE-----\n";
constexpr const char* kIssuer = "-----BEGIN CERTIFICATE-----\naXNzdWVy\n-----END CERTIFICATE-----\n";
constexpr const char* kKey = "-----BEGIN EC PRIVATE KEY-----\na2V5\n-----END EC PRIVATE KEY-----\n";

TEST(SplitPem, KeepsTheOrderOfTheChain) {
  for (const auto& text :
       {std::string(kKey) + kLeaf + kIssuer, std::string(kLeaf) + "# words\n" + kIssuer + kKey}) {
    const auto pem = split_pem(text);
    EXPECT_EQ(pem.certificate, std::string(kLeaf) + kIssuer);
    EXPECT_EQ(pem.key, kKey);
  }
}

TEST(SplitPem, RefusesWhatIsNotAPair) {
  for (const auto& text :
       {std::string(), std::string("words"), std::string(kLeaf), std::string(kKey),
        std::string(kLeaf) + kKey + kKey, std::string(kLeaf) + "-----BEGIN PRIVATE KEY-----\ncut"}) {
    EXPECT_THROW((void)split_pem(text), sdk::Failure) << text;
  }
}

constexpr const char* kFacts =
    "subject=O=Ex\\, a, CN=shop.test\n"
    "issuer=O=Authority, CN=R3\n"
    "notBefore=Nov 30 06:10:48 2026 GMT\n"
    "notAfter=Dec  2 06:10:48 2026 GMT\n";
constexpr const char* kNames =
    "X509v3 Subject Alternative Name: \n"
    "    DNS:www.shop.test, DNS:*.Shop.test, IP Address:127.0.0.1, DNS:shop.test\n";
constexpr std::int64_t kExpiresS = 1'796'191'848;

TEST(CertificateFacts, AreReadFromOpensslsWords) {
  const auto facts = parse_facts(std::string(kFacts) + kNames);
  EXPECT_EQ(facts.subject, "O=Ex\\, a, CN=shop.test");
  EXPECT_EQ(facts.issuer, "O=Authority, CN=R3");
  EXPECT_EQ(facts.starts_at, "Nov 30 06:10:48 2026 GMT");
  EXPECT_EQ(facts.expires_at, "Dec  2 06:10:48 2026 GMT");
  EXPECT_EQ(facts.expires_unix_s, kExpiresS);
  EXPECT_THAT(facts.hostnames, testing::ElementsAre("*.shop.test", "shop.test", "www.shop.test"));
  EXPECT_EQ(
      description_of(facts),
      "O=Ex\\, a, CN=shop.test, for *.shop.test shop.test www.shop.test, until Dec  2 06:10:48 2026 GMT");
}

TEST(CertificateFacts, TheCommonNameCountsWhereThereIsNoOther) {
  EXPECT_THAT(parse_facts(std::string(kFacts) + "No extensions in certificate\n").hostnames,
              testing::ElementsAre("shop.test"));
  EXPECT_THAT(parse_facts("subject=CN=Shop.test, O=Ex\n").hostnames, testing::ElementsAre("shop.test"));
  EXPECT_THAT(parse_facts("subject=O=Ex\n").hostnames, testing::IsEmpty());
}

TEST(CertificateFacts, OneThatClientsRefuseIsComplainedOf) {
  const auto facts = parse_facts(std::string(kFacts) + kNames);
  const auto of = [&](const std::vector<std::string>& hosts, std::int64_t now_unix_s = kExpiresS - 1) {
    return complaints(facts, "shop", hosts, now_unix_s);
  };
  for (const auto* host : {"shop.test", "one.shop.test", "*.shop.test"})
    EXPECT_THAT(of({"else.test", host}), testing::IsEmpty()) << host;
  EXPECT_THAT(of({}), testing::IsEmpty());
  EXPECT_THAT(of({"a.one.shop.test", "test"}),
              testing::ElementsAre(testing::HasSubstr("none of the hosts of shop (a.one.shop.test, test)")));
  EXPECT_THAT(of({"shop.test"}, kExpiresS), testing::ElementsAre(testing::HasSubstr("has expired")));
}

class Openssl : public Machine {
 public:
  explicit Openssl(ProgramResult result) : result_(std::move(result)) {}
  ProgramResult run(const std::vector<std::string>&) override { return result_; }
  void start(const std::vector<std::string>&) override {}
  void reload() override {}

 private:
  ProgramResult result_;
};

TEST(CertificateFacts, WhatOpensslCannotReadIsAFailure) {
  Openssl openssl({1, "Could not read certificate"});
  EXPECT_THROW((void)facts_of(openssl, "server.crt"), sdk::Failure);
}

TEST(CertificateFacts, WhoVerifiesIt) {
  const auto of = [](int exit_code, const std::string& output) {
    Openssl openssl({exit_code, output});
    return verification_of(openssl, "server.crt");
  };
  EXPECT_EQ(of(0, "server.crt: OK\n"), "verified by a certificate authority");
  const std::string before = "CN = shop.test\n";
  const std::string after = "\nerror server.crt: verification failed\n";
  EXPECT_EQ(of(2, before + "error 18 at 0 depth lookup: self-signed certificate" + after), "self signed");
  EXPECT_EQ(of(2, before + "error 10 at 0 depth lookup: certificate has expired" + after),
            "certificate has expired");
}

}  // namespace
}  // namespace davit::nginx
