// Constant load on one host: some threads that ask again and again until the object stops, and count what
// failed.
#pragma once

#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/NullStream.h>
#include <Poco/StreamCopier.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace davit::nginx::test {

class Load {
 public:
  Load(std::uint16_t port, std::string host, bool keep_alive, std::string method, int threads = 4)
      : port_(port), host_(std::move(host)), keep_alive_(keep_alive), method_(std::move(method)) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { ask_until_stopped(); });
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() { stop(); }

  void stop() {
    stopping_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }
  // Returns when `count` more requests were answered.
  void await_more(std::uint64_t count) {
    std::unique_lock lock(mutex_);
    const auto goal = answered_ + count;
    changed_.wait(lock, [&] { return answered_ >= goal; });
  }
  std::uint64_t answered() const { return answered_; }
  std::uint64_t failed() const { return failed_; }
  std::string first_failure() const { return first_failure_; }

 private:
  void ask_until_stopped() {
    Poco::Net::HTTPClientSession session("127.0.0.1", port_);
    session.setKeepAlive(keep_alive_);
    session.setTimeout(Poco::Timespan(20, 0));
    while (!stopping_) {
      std::string problem;
      try {
        Poco::Net::HTTPRequest request(method_, "/?delay=2", Poco::Net::HTTPMessage::HTTP_1_1);
        request.setHost(host_);
        request.setKeepAlive(keep_alive_);
        request.setContentLength(5);
        session.sendRequest(request) << "hello";
        Poco::Net::HTTPResponse response;
        Poco::NullOutputStream nowhere;
        Poco::StreamCopier::copyStream(session.receiveResponse(response), nowhere);
        if (response.getStatus() != 200) problem = "status " + std::to_string(response.getStatus());
      } catch (const Poco::Exception& error) {
        problem = error.displayText();
        session.reset();
      }
      const std::lock_guard lock(mutex_);
      ++answered_;
      if (!problem.empty() && failed_++ == 0) first_failure_ = problem;
      changed_.notify_all();
    }
  }

  const std::uint16_t port_;
  const std::string host_;
  const bool keep_alive_;
  const std::string method_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<std::uint64_t> answered_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
  std::string first_failure_;
  std::vector<std::thread> threads_;
};

}  // namespace davit::nginx::test
