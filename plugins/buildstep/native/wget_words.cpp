// See wget_words.hpp.
#include "wget_words.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "curl_words.hpp"

namespace davit::downloads {
namespace {

constexpr const char* kUserAgent = "Wget/1.21.3";  // some servers answer browsers and curl with a page

struct Option {
  std::string_view name;
  std::string_view letters;  // "nv" is -nv
  bool takes;
  std::string_view curl;  // the option of curl; "": nothing to say to curl
};

constexpr std::array kOptions{
    Option{"quiet", "q", false, ""},
    Option{"no-verbose", "nv", false, ""},
    Option{"verbose", "v", false, ""},
    Option{"progress", "", true, ""},
    Option{"show-progress", "", false, ""},
    Option{"no-show-progress", "", false, ""},
    Option{"tries", "t", true, ""},
    Option{"timeout", "T", true, ""},
    Option{"connect-timeout", "", true, ""},
    Option{"read-timeout", "", true, ""},
    Option{"dns-timeout", "", true, ""},
    Option{"waitretry", "", true, ""},
    Option{"retry-connrefused", "", false, ""},
    Option{"retry-on-host-error", "", false, ""},
    Option{"retry-on-http-error", "", true, ""},
    Option{"no-hsts", "", false, ""},
    Option{"no-cookies", "", false, ""},
    Option{"no-config", "", false, ""},
    Option{"no-directories", "nd", false, ""},
    Option{"no-check-certificate", "", false, "--insecure"},
    Option{"header", "", true, "--header"},
    Option{"user-agent", "U", true, "--user-agent"},
    Option{"referer", "", true, "--referer"},
    Option{"max-redirect", "", true, "--max-redirs"},
    Option{"inet4-only", "4", false, "--ipv4"},
    Option{"inet6-only", "6", false, "--ipv6"},
    Option{"ca-certificate", "", true, "--cacert"},
    Option{"output-document", "O", true, "-o"},
    Option{"directory-prefix", "P", true, "-P"},
};

struct Given {
  Words curl{"--location", "--fail", "--silent"};
  Words urls;
  std::optional<std::string> file;
  std::string folder;
  bool quiet = false;
  bool has_agent = false;
};

const Option* long_option(std::string_view name) {
  const auto found = std::ranges::find(kOptions, name, &Option::name);
  return found == kOptions.end() ? nullptr : &*found;
}

void apply(Given& given, const Option& option, const std::string& value) {
  if (option.name == "quiet") given.quiet = true;
  if (option.curl == "-o") given.file = value;
  if (option.curl == "-P") given.folder = value;
  if (!option.curl.starts_with("--")) return;
  if (option.name == "user-agent") given.has_agent = true;
  given.curl.emplace_back(option.curl);
  if (option.takes) given.curl.push_back(value);
}

bool take_long(Given& given, const Words& words, std::size_t& at) {
  const std::string_view word = std::string_view(words[at]).substr(2);
  const std::size_t equals = word.find('=');
  const Option* option = long_option(word.substr(0, equals));
  if (option == nullptr || (!option->takes && equals != std::string_view::npos)) return false;
  if (option->takes && equals == std::string_view::npos && ++at == words.size()) return false;
  apply(given, *option,
        !option->takes                     ? std::string()
        : equals == std::string_view::npos ? words[at]
                                           : std::string(word.substr(equals + 1)));
  return true;
}

// -qO- FILE, -nv: letters that begin with n have two.
bool take_letters(Given& given, const Words& words, std::size_t& at) {
  const std::string_view word = words[at];
  for (std::size_t i = 1; i < word.size();) {
    const std::size_t size = word[i] == 'n' ? 2 : 1;
    const auto found = std::ranges::find(kOptions, word.substr(i, size), &Option::letters);
    if (found == kOptions.end()) return false;
    i += size;
    if (!found->takes) {
      apply(given, *found, "");
    } else if (i < word.size()) {
      apply(given, *found, std::string(word.substr(i)));
      return true;
    } else {
      if (++at == words.size()) return false;
      apply(given, *found, words[at]);
      return true;
    }
  }
  return word.size() > 1;
}

// As wget does it: NAME, then NAME.1, NAME.2, ...
std::string free_name(const std::string& url, const std::string& folder) {
  std::string name = last_part(url);
  if (name.empty()) name = "index.html";
  if (const std::size_t query = url.find('?'); query != std::string::npos)
    name += url.substr(query, url.find('#', query) - query);
  std::ranges::replace(name, '/', '_');
  const std::string base = folder.empty() ? name : folder + "/" + name;
  std::string file = base;
  for (int n = 1; access(file.c_str(), F_OK) == 0; ++n) file = base + "." + std::to_string(n);
  return file;
}

}  // namespace

std::optional<Request> parse_wget(const Words& words) {
  Given given;
  for (std::size_t at = 0; at < words.size(); ++at) {
    const std::string& word = words[at];
    if (!word.starts_with('-')) {
      given.urls.push_back(word);
    } else if (!(word.starts_with("--") ? take_long(given, words, at) : take_letters(given, words, at))) {
      return std::nullopt;
    }
  }
  if (given.urls.size() != 1) return std::nullopt;
  if (!given.quiet) given.curl.emplace_back("--show-error");
  if (!given.has_agent) given.curl.insert(given.curl.end(), {"--user-agent", kUserAgent});
  given.curl.insert(given.curl.end(), {"--globoff", "--", given.urls.front()});
  auto request = parse_curl(given.curl);
  if (!request) return std::nullopt;
  if (!given.file) {
    request->file = free_name(request->url, given.folder);
    request->make_folders = !given.folder.empty();
  } else if (*given.file != "-") {
    request->file = *given.file;
  }
  return request;
}

int wget_exit_code(int curl_code) {
  switch (curl_code) {
    case 0:
      return 0;
    case 22:
      return 8;
    case 23:
      return 3;
    case 35:
    case 51:
    case 53:
    case 58:
    case 59:
    case 60:
    case 77:
    case 83:
      return 5;
    case 5:
    case 6:
    case 7:
    case 16:
    case 18:
    case 28:
    case 52:
    case 55:
    case 56:
    case 92:
      return 4;
    default:
      return 1;
  }
}

}  // namespace davit::downloads
