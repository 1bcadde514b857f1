// Columns and reports: how lists and reports look, in dokku's forms. Pure: rows in, text out.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace davit {

/// Rows of cells, each column as wide as its widest cell and two blanks apart; the last is not padded. Widths
/// count bytes that start a UTF-8 character.
std::string columns(const std::vector<std::vector<std::string>>& rows, std::string_view indent = "");

/// One GROUP:report of one app. Keys are flags without dashes: "ps-restart-policy", "deployed".
class Report {
 public:
  /// `type` is the word in the header and in front of keys: "ps" ("app" for the group apps).
  Report(std::string_view type, std::string_view subject) : type_(type), subject_(subject) {}

  void add(std::string key, std::string value) { rows_.emplace_back(std::move(key), std::move(value)); }

  /// "SUBJECT TYPE information": for UserOutput::header.
  [[nodiscard]] std::string header() const;
  /// "       Ps restart policy:             on-failure:10\n" for each key, sorted by key.
  [[nodiscard]] std::string text() const;
  /// Each key bare and with its group: {"restart-policy":...,"ps-restart-policy":...}, sorted.
  [[nodiscard]] std::string json() const;
  /// The value of one flag ("--ps-restart-policy"); Invalid: `Invalid flag passed, valid flags: ...`.
  [[nodiscard]] Result<std::string> value(std::string_view flag) const;

 private:
  std::string type_;
  std::string subject_;
  std::vector<std::pair<std::string, std::string>> rows_;
};

}  // namespace davit
