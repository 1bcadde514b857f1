// The certificates of apps: kept below the plugin's state as certs/APP/STAMP/server.crt and server.key, the
// newest named by certs/APP/current. Certificate and key change together, and a change is a new path, so that
// nginx sees it.
#pragma once

#include <optional>
#include <string>

#include "certificate_facts.hpp"
#include "davit/call.hpp"
#include "davit/commands.hpp"
#include "engine.hpp"
#include "model.hpp"

namespace davit::nginx {

std::optional<Certificate> certificate_of(const Settings& settings, const std::string& app);

// certs:add. Two files, or certificate and key as one PEM text on stdin. nginx checks them before they count.
CertificateFacts add_certificate(const sdk::Call& call, Engine& engine, Machine& machine,
                                 const sdk::Command& command);

bool remove_certificate(const Settings& settings, const std::string& app);  // false: there was none
// All of them, with their keys, for good: of an app that is not served. Idempotent.
void forget_certificates(const Settings& settings, const std::string& app);
// Removes what is neither current nor named by an app's file, once it is an hour old (an undo may need it
// until then).
void sweep_certificates(const Settings& settings);
void copy_certificate(const Settings& settings, const std::string& from, const std::string& to);

// A PEM text in two: everything but private keys, and the private key. Throws unless there is one of each.
struct Pem {
  std::string certificate;
  std::string key;
};
Pem split_pem(const std::string& text);

}  // namespace davit::nginx
