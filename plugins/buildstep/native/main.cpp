// curl and wget of davit's builds: first in PATH, called by either name. A plain download gets retries,
// limits of time and the cache; everything else is the real program's, with not a word changed. Static: it
// runs inside any sandbox or image.
//
// It is not a client itself: the real curl speaks to the network, so that TLS, proxies and .curlrc stay what
// they are.
#include <signal.h>

#include <cstdlib>
#include <exception>

#include "curl_words.hpp"
#include "download.hpp"
#include "program.hpp"
#include "wget_words.hpp"

namespace {

using namespace davit::downloads;

int run(const std::string& name, const Words& words) {
  const bool is_wget = name == "wget";
  const auto request = is_wget ? parse_wget(words) : parse_curl(words);
  const std::string curl = request ? find_real("curl") : std::string();
  if (request && !curl.empty()) {
    signal(SIGPIPE, SIG_IGN);
    const char* folder = std::getenv("DAVIT_DOWNLOADS");
    const Cache cache(folder != nullptr ? folder : "");
    const Limits limits = Limits::from_environment();
    if (const auto code = Download(*request, limits, cache, curl).run())
      return is_wget ? wget_exit_code(*code) : *code;
  }
  return become_program(find_real(name), name, words);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string called = argc > 0 ? argv[0] : "curl";
    return run(called.substr(called.rfind('/') + 1), Words(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const std::exception&) {  // no memory: there is nothing better to say
    return 27;
  }
}
