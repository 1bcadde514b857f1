// See firewall_text.hpp.
#include "firewall_text.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <iterator>
#include <map>
#include <utility>

namespace davit::process_plugin {
namespace {

constexpr std::size_t kCommentBytes = 100;
constexpr std::string_view kPrefix = "davit_";
constexpr const char* kInstancePorts = "instance_ports";
constexpr const char* kServicePorts = "service_ports";

std::string list_of(const std::set<std::uint32_t>& numbers) {
  std::string text;
  for (const std::uint32_t number : numbers) text += (text.empty() ? "" : ", ") + std::to_string(number);
  return text;
}

bool is_plain(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '/' || c == '.' || c == '-' || c == '_';
}

// As in a URL: nothing that nft's grammar could take for its own.
std::string encoded(std::string_view path) {
  std::string text;
  for (const char c : path) {
    char code[4];
    std::snprintf(code, sizeof code, "%%%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    text += is_plain(c) ? std::string(1, c) : std::string(code);
  }
  return text;
}

std::string decoded(std::string_view text) {
  std::string path;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, code, 16).ec == std::errc{}) {
      path += static_cast<char>(code);
      i += 2;
    } else {
      path += text[i];
    }
  }
  return path;
}

std::string home_set(const std::string& home) {
  const std::string text = encoded(home);
  std::string elements;
  for (std::size_t at = 0; at < text.size(); at += kCommentBytes) {
    elements += (at == 0 ? "" : ", ") + std::to_string(at / kCommentBytes) + " comment \"" +
                text.substr(at, kCommentBytes) + "\"";
  }
  return "  set home {\n    type mark\n    elements = { " + elements + " }\n  }\n";
}

// One word of the listing: a quoted string, a run of other characters, or one of { } , =.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text) {}

  // "" at the end. A string comes without its quotes.
  std::string_view next() {
    constexpr std::string_view kSingle = "{},=";
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    if (at_ == text_.size()) return {};
    std::size_t begin = at_;
    if (text_[at_] == '"') {
      begin = ++at_;
      at_ = std::min(text_.find('"', at_), text_.size());
      const auto word = text_.substr(begin, at_ - begin);
      if (at_ < text_.size()) ++at_;
      return word;
    }
    if (kSingle.find(text_[at_]) != std::string_view::npos) return text_.substr(at_++, 1);
    at_ = std::min(text_.find_first_of(" \t\n{},=\"", at_), text_.size());
    return text_.substr(begin, at_ - begin);
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

std::uint32_t number_in(std::string_view word) {
  std::uint32_t number = 0;
  const bool hex = word.starts_with("0x");
  if (hex) word.remove_prefix(2);
  std::from_chars(word.data(), word.data() + word.size(), number, hex ? 16 : 10);
  return number;
}

// After "elements = {": NUMBER, or NUMBER comment TEXT, each.
std::map<std::uint32_t, std::string> read_elements(Words& words) {
  std::map<std::uint32_t, std::string> elements;
  std::uint32_t last = 0;
  for (auto word = words.next(); !word.empty() && word != "}"; word = words.next()) {
    if (word == ",") continue;
    if (word == "comment") {
      elements[last] = words.next();
    } else {
      last = number_in(word);
      elements[last];
    }
  }
  return elements;
}

std::string port_set(const char* name, const std::set<std::uint32_t>& ports) {
  if (ports.empty()) return {};
  return std::string("  set ") + name + " {\n    type inet_service\n    elements = { " + list_of(ports) +
         " }\n  }\n";
}

// New connections only: an answer has the instance's port as its source, and must pass.
std::string port_rule(const char* name, const FirewallDoor& door) {
  if (door.ports.empty()) return {};
  return std::string("    oifname \"lo\" tcp dport @") + name +
         " tcp flags & (fin | syn | rst | ack) == syn meta skuid != { " + list_of(door.uids) +
         " } reject with tcp reset\n";
}

}  // namespace

std::string firewall_table(const std::string& home) {
  std::uint32_t hash = 2166136261U;  // FNV-1a: a short name, not a secret
  for (const char c : home) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  char text[16];
  std::snprintf(text, sizeof text, "%08x", hash);
  return std::string(kPrefix) + text;
}

std::string firewall_script(const std::string& home, const std::set<std::uint32_t>& ports,
                            const std::set<std::uint32_t>& uids, const FirewallDoor& services) {
  const std::string table = firewall_table(home);
  std::string script = "add table inet " + table + "\ndelete table inet " + table + "\n";
  if (ports.empty() && services.ports.empty()) return script;
  script += "table inet " + table + " {\n" + home_set(home) + port_set(kInstancePorts, ports) +
            port_set(kServicePorts, services.ports);
  script += "  chain output {\n    type filter hook output priority filter; policy accept;\n" +
            port_rule(kInstancePorts, {ports, uids}) + port_rule(kServicePorts, services) + "  }\n}\n";
  return script;
}

std::vector<FirewallTable> read_tables(std::string_view listing) {
  std::vector<FirewallTable> tables;
  Words words(listing);
  std::string_view set;
  bool ours = false;
  for (auto word = words.next(); !word.empty(); word = words.next()) {
    if (word == "table") {
      (void)words.next();  // inet
      const auto name = words.next();
      ours = name.starts_with(kPrefix);
      if (ours) tables.push_back({std::string(name), {}, {}, {}});
    } else if (word == "set") {
      set = words.next();
    } else if (word == "elements") {
      (void)words.next();  // =
      (void)words.next();  // {
      for (const auto& [number, comment] : read_elements(words)) {
        if (ours && set == "home") tables.back().home += comment;
        if (ours && set == kInstancePorts) tables.back().ports.insert(number);
        if (ours && set == kServicePorts) tables.back().service_ports.insert(number);
      }
      if (ours && set == "home") tables.back().home = decoded(tables.back().home);
    }
  }
  return tables;
}

std::string without_ports(const FirewallTable& table, const std::set<std::uint32_t>& ports) {
  std::string script;
  for (const auto& [set, members] :
       {std::pair(kInstancePorts, table.ports), std::pair(kServicePorts, table.service_ports)}) {
    std::set<std::uint32_t> taken;
    std::ranges::set_intersection(members, ports, std::inserter(taken, taken.end()));
    if (taken.empty()) continue;
    script += "delete element inet " + table.name + " " + set + " { " + list_of(taken) + " }\n";
  }
  return script;
}

}  // namespace davit::process_plugin
