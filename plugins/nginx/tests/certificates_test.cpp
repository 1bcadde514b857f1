// A PEM text in two.
#include "certificates.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace davit::nginx
