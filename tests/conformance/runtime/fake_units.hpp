// davit.host.supervise/1 over the real supervisor; see fake_host.hpp.
#pragma once

#include "base/result.hpp"
#include "davit/host.h"

namespace davit::test {

const davit_host_supervise* unit_table();

/// Fills the call's error slot; returns the status of the error's code.
davit_status fail_call(const davit_call* call, const Error& error);

}  // namespace davit::test
