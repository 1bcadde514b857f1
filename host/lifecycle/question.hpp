// One question of a health check to one instance: what the deploy's checks, checks:run and the health watch
// have in common.
#pragma once

#include <string>

#include "lifecycle/app_manifest.hpp"
#include "lifecycle/services.hpp"

namespace davit {

/// What was answered, for people: "GET /health answered 200". Errors: kUnavailable: nobody is there yet (no
/// port, a refused connection, too short an uptime); anything else is an answer, and a bad one.
Result<std::string> ask_instance(const LifecycleServices& services, Runtime& runtime,
                                 const Instance& instance, const HealthCheck& check, const CallContext& call);

/// The check's name, or what it asks: "GET /health", "the port", "the command ./alive", "an uptime of 1 s".
std::string title_of(const HealthCheck& check);

/// Runs onFailure's command in the instance; what fails there is said and changes nothing.
void report_failure(Runtime& runtime, const Instance& instance, const HealthCheck& check,
                    const CallContext& call);

}  // namespace davit
