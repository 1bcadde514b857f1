// What a switch costs with 10 and with 1000 apps: prepare and apply through the engine, against two real
// nginx, in interleaved pairs. A measurement, not a test: it asserts nothing. Prints one line of JSON, times
// in milliseconds.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <vector>

#include "engine.hpp"
#include "test_app.hpp"
#include "test_nginx.hpp"

namespace {

using namespace davit::nginx;
using davit::nginx::test::TestApp;
using davit::nginx::test::TestNginx;

constexpr int kPairs = 40;

Route route_of(const std::string& app, int revision, const Peer& peer) {
  return {app, "d" + std::to_string(revision), {app + ".test", "www." + app + ".test"}, {peer}, false, true};
}

double switch_ms(TestNginx& nginx, int revision, const Peer& peer) {
  const auto begin = std::chrono::steady_clock::now();
  auto engine = nginx.engine();  // a deploy runs in a fresh process
  const auto route = route_of("shop", revision, peer);
  (void)engine.prepare(route);
  engine.apply(route);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main() {
  TestApp one("one");
  TestApp two("two");
  TestNginx few;
  TestNginx many;
  for (auto* nginx : {&few, &many}) {
    nginx->settings().table_mb = 16;
    auto engine = nginx->engine();
    const int apps = nginx == &few ? 10 : 1000;
    for (int i = 0; i < apps; ++i) engine.apply(route_of("app" + std::to_string(i), 1, one.peer()));
  }
  std::vector<double> with_few;
  std::vector<double> with_many;
  for (int i = 0; i < kPairs; ++i) {
    const auto peer = i % 2 == 0 ? one.peer() : two.peer();
    with_few.push_back(switch_ms(few, i, peer));
    with_many.push_back(switch_ms(many, i, peer));
  }
  fmt::print(
      "{{\"switch_ms_10_apps\": {:.2f}, \"switch_ms_1000_apps\": {:.2f}, \"ratio\": {:.2f}, \"pairs\": "
      "{}}}\n",
      median(with_few), median(with_many), median(with_many) / median(with_few), kPairs);
  return 0;
}
