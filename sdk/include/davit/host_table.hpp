/* What the typed accessors of Host share: a table of the host, bound to the call that it serves. */
#ifndef DAVIT_HOST_TABLE_HPP
#define DAVIT_HOST_TABLE_HPP

#include <optional>
#include <string>

#include "davit/call.hpp"
#include "davit/host.h"

namespace davit::sdk::detail {

/* `member` of `table`, or a Failure if the host is older than the function. */
template <class Table, class Member>
Member table_function(const Table* table, Member Table::*member, const char* id) {
  const char* begin = reinterpret_cast<const char*>(table);
  const char* end = reinterpret_cast<const char*>(&(table->*member)) + sizeof(Member);
  if (static_cast<uint64_t>(end - begin) > table->struct_size || table->*member == nullptr) {
    throw Failure(DAVIT_UNSUPPORTED, "host-too-old",
                  std::string("this davit's ") + id + " lacks a function that the plugin needs",
                  "upgrade davit");
  }
  return table->*member;
}

/* Borrowed like the call; make it where it is used: `host().kv(call).get(...)`. */
template <class Table>
class HostTable {
 public:
  using TableType = Table;
  HostTable(const davit_host* host, const Table* table, const davit_call* call, const char* id) noexcept
      : host_(host), table_(table), call_(call), id_(id) {}

 protected:
  /* The bare status. */
  template <class Member, class... Arguments>
  davit_status invoke(Member Table::*member, Arguments... arguments) const {
    return table_function(table_, member, id_)(host_, call_, arguments...);
  }
  /* Throws HostFailure unless it is OK. */
  template <class Member, class... Arguments>
  void must(Member Table::*member, Arguments... arguments) const {
    check(call_, invoke(member, arguments...));
  }
  /* For functions that end in a davit_sink. NOT_FOUND is nullopt. */
  template <class Member, class... Arguments>
  std::optional<std::string> text(Member Table::*member, Arguments... arguments) const {
    TextSink sink;
    const davit_status status = invoke(member, arguments..., sink.get());
    if (status == DAVIT_NOT_FOUND) return std::nullopt;
    check(call_, status);
    return sink.take();
  }
  /* For functions that end in a davit_str_sink. */
  template <class Member, class... Arguments>
  Strings strings(Member Table::*member, Arguments... arguments) const {
    StringsSink sink;
    must(member, arguments..., sink.get());
    return sink.take();
  }
  /* For functions that end in a davit_kv_sink. */
  template <class Member, class... Arguments>
  Pairs pairs(Member Table::*member, Arguments... arguments) const {
    PairsSink sink;
    must(member, arguments..., sink.get());
    return sink.take();
  }

  const davit_host* host_;
  const Table* table_;
  const davit_call* call_;
  const char* id_;
};

template <class Accessor>
Accessor make_accessor(const davit_host* host, const void* table, const davit_call* call,
                       const char* id) noexcept {
  return Accessor(host, static_cast<const typename Accessor::TableType*>(table), call, id);
}

}  // namespace davit::sdk::detail
#endif
