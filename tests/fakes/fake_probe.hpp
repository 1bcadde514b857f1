// FakeProbe: answers checks from a script. By default every port is open and every page is 200.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lifecycle/endpoint_probe.hpp"

namespace davit::fakes {

class FakeProbe final : public EndpointProbe {
 public:
  Result<> connect(const Endpoint& endpoint, std::uint64_t, Way) override {
    ++connects;
    return on_connect ? on_connect(endpoint) : Result<>{};
  }
  Result<HttpAnswer> get(const Endpoint& endpoint, const HttpRequest& request) override {
    requests.push_back(request);
    return on_get ? on_get(endpoint, request) : Result<HttpAnswer>(HttpAnswer{200, "ok"});
  }

  std::function<Result<>(const Endpoint&)> on_connect;
  std::function<Result<HttpAnswer>(const Endpoint&, const HttpRequest&)> on_get;
  std::vector<HttpRequest> requests;
  unsigned connects = 0;
};

}  // namespace davit::fakes
