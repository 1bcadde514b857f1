// MaskedOutput: what a user sees of a build, with *** where a secret stood. It stands between every builder
// and the pusher. It hides what a build prints by accident; a build that wants to give a secret away can
// always write it in another form.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/model.hpp"
#include "base/output.hpp"

namespace davit {

/// What is masked: a fixed set of texts. Copyable, any thread.
class Masks {
 public:
  /// The values of `secrets`, each line of them for itself; those of less than 6 bytes would hide more of the
  /// output than of the secret, and are left out.
  explicit Masks(const TextMap& secrets);

  [[nodiscard]] std::string applied_to(std::string_view text) const;
  /// The same for a stream that is cut anywhere: `held` keeps the end of what came if a secret may begin
  /// there.
  [[nodiscard]] std::string applied_to(std::string_view chunk, std::string& held) const;

 private:
  [[nodiscard]] std::string replace(std::string_view text, std::size_t& done, bool is_end) const;
  std::vector<std::string> texts_;  // the longest first
};

class MaskedOutput : public UserOutput {
 public:
  /// Both are borrowed.
  MaskedOutput(UserOutput& out, const Masks& masks) : out_(out), masks_(masks) {}
  ~MaskedOutput() override { flush(); }
  MaskedOutput(const MaskedOutput&) = delete;
  MaskedOutput& operator=(const MaskedOutput&) = delete;

  void result(std::string_view bytes) override;
  void header(std::string_view line) override;
  void step(std::string_view line) override;
  void detail(std::string_view bytes) override;
  void warning(std::string_view line) override;
  void progress(std::string_view label, std::uint64_t done, std::uint64_t total,
                std::string_view unit) override;
  /// Gives out what is held back. To be called at the end.
  void flush();

 private:
  UserOutput& out_;
  const Masks& masks_;
  std::string held_;
};

}  // namespace davit
