/* Sinks in both directions: C++ functions given to the host as sinks (exceptions are carried over the host's
 * frames and thrown again on our side), and the host's sinks as C++ functions. Also Map, the editable map of
 * filters.
 */
#ifndef DAVIT_SINKS_HPP
#define DAVIT_SINKS_HPP

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "davit/failure.hpp"

namespace davit::sdk {

/* Receives bytes in chunks of any size. */
using Output = std::function<void(std::string_view)>;

namespace detail {

/* What the sinks share: the function runs behind a noexcept thunk, its exception waits for rethrow(). */
template <class Function>
class Carrier {
 public:
  explicit Carrier(Function function) : function_(std::move(function)) {}
  Carrier(const Carrier&) = delete;
  Carrier& operator=(const Carrier&) = delete;

  template <class... Arguments>
  davit_status run(Arguments&&... arguments) noexcept {
    if (error_) return DAVIT_CANCELLED;
    try {
      function_(std::forward<Arguments>(arguments)...);
      return DAVIT_OK;
    } catch (...) {
      error_ = std::current_exception();
      return DAVIT_CANCELLED;
    }
  }

  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 protected:
  Function function_;

 private:
  std::exception_ptr error_;
};

}  // namespace detail

/* An Output as a davit_sink; get() is NULL for an empty Output. Lives on the stack around one host call. */
class OutputSink : public detail::Carrier<Output> {
 public:
  explicit OutputSink(Output output) : Carrier(std::move(output)), raw_{this, &OutputSink::write} {}
  const davit_sink* get() const noexcept { return function_ ? &raw_ : nullptr; }

 private:
  static davit_status write(void* self, davit_str chunk) noexcept {
    return static_cast<OutputSink*>(self)->run(view(chunk));
  }
  davit_sink raw_;
};

/* Gathers everything into one std::string. */
class TextSink {
 public:
  TextSink() : raw_{&text_, &detail::append_chunk} {}
  TextSink(const TextSink&) = delete;
  TextSink& operator=(const TextSink&) = delete;
  const davit_sink* get() const noexcept { return &raw_; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  davit_sink raw_;
};

/* Gathers items into a Strings. */
class StringsSink {
 public:
  StringsSink() : raw_{&items_, &StringsSink::put} {}
  StringsSink(const StringsSink&) = delete;
  StringsSink& operator=(const StringsSink&) = delete;
  const davit_str_sink* get() const noexcept { return &raw_; }
  Strings take() { return std::move(items_); }

 private:
  static davit_status put(void* items, davit_str item) noexcept {
    return detail::guard(nullptr, [&] { static_cast<Strings*>(items)->push_back(copy(item)); });
  }
  Strings items_;
  davit_str_sink raw_;
};

/* Gathers pairs into a Pairs. */
class PairsSink {
 public:
  PairsSink() : raw_{&items_, &PairsSink::put} {}
  PairsSink(const PairsSink&) = delete;
  PairsSink& operator=(const PairsSink&) = delete;
  const davit_kv_sink* get() const noexcept { return &raw_; }
  Pairs take() { return std::move(items_); }

 private:
  static davit_status put(void* items, davit_str key, davit_str value) noexcept {
    return detail::guard(nullptr, [&] { static_cast<Pairs*>(items)->emplace_back(copy(key), copy(value)); });
  }
  Pairs items_;
  davit_kv_sink raw_;
};

namespace detail {

/* A sink of the host refused: stop, and return its status. */
inline void check_sink(davit_status status) {
  if (status != DAVIT_OK) throw HostFailure(status, "davit stopped taking the output");
}

inline void write_all(const davit_sink* sink, std::string_view text) {
  if (sink != nullptr) check_sink(sink->write(sink->sink_data, str(text)));
}

/* Valid while `sink` is. Empty for NULL. */
inline Output output_to(const davit_sink* sink) {
  if (sink == nullptr) return Output();
  return [sink](std::string_view chunk) { check_sink(sink->write(sink->sink_data, str(chunk))); };
}

inline void put_all(const davit_str_sink* sink, const Strings& items) {
  for (const std::string& item : items) check_sink(sink->put(sink->sink_data, str(item)));
}

inline void put_all(const davit_kv_sink* sink, const Pairs& items) {
  for (const auto& item : items) check_sink(sink->put(sink->sink_data, str(item.first), str(item.second)));
}

}  // namespace detail

/* The text map that a filter edits. Borrowed from the event; an event that has none to edit gives an empty
 * one, on which set() is a Failure. */
class Map {
 public:
  Map(const davit_map& raw, const davit_call* call) noexcept : raw_(raw), call_(call) {}
  explicit operator bool() const noexcept { return raw_.set != nullptr; }

  std::optional<std::string> get(std::string_view key) const {
    if (raw_.get == nullptr) return std::nullopt;
    TextSink value;
    const davit_status status = raw_.get(raw_.map_data, str(key), value.get());
    if (status == DAVIT_NOT_FOUND) return std::nullopt;
    detail::check(call_, status);
    return value.take();
  }
  void set(std::string_view key, std::string_view value) const {
    if (raw_.set == nullptr) throw not_editable();
    detail::check(call_, raw_.set(raw_.map_data, str(key), str(value)));
  }
  void unset(std::string_view key) const {
    if (raw_.unset == nullptr) throw not_editable();
    detail::check(call_, raw_.unset(raw_.map_data, str(key)));
  }
  /* All of it, sorted by key. */
  Pairs all() const {
    if (raw_.each == nullptr) return {};
    PairsSink items;
    detail::check(call_, raw_.each(raw_.map_data, items.get()));
    return items.take();
  }

 private:
  static Failure not_editable() {
    return Failure(DAVIT_UNSUPPORTED, "map-not-editable", "this event has no map to edit");
  }
  davit_map raw_;
  const davit_call* call_;
};

}  // namespace davit::sdk
#endif
