// The values that the plugin's parts exchange: routes, the operator's settings, one app's server block. Plain
// data, no I/O.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace davit::nginx {

// Where one instance answers: an address and a port, or a unix socket.
struct Peer {
  std::string host;  // a numeric address
  std::uint16_t port = 0;
  std::string path;  // absolute; if set, host and port are not used

  // As the control socket names it: "127.0.0.1:5000", "[::1]:5000" or the path.
  std::string label() const;
  bool operator==(const Peer&) const = default;
};

// All that an app's requests need. No hosts: not reachable by name. No peers: 503.
struct Route {
  std::string app;
  std::string revision;
  std::vector<std::string> hosts;  // lower case; "*.example.com" allowed
  std::vector<Peer> peers;
  bool maintenance = false;
  bool shared = true;      // answered by the server block that all such apps share
  std::string replaces{};  // the app whose routes go away with the apply of this one; not kept
  bool operator==(const Route&) const = default;
};

// How nginx learns of new instances.
enum class Switching {
  kSocket,  // through the control socket, without a reload (needs nginx's lua module)
  kReload,  // by rewriting the app's file and a reload
};

enum class Mode {
  kPrivate,  // an nginx of our own, a unit of the home's supervision
  kSystem,   // the distribution's, which includes our http.conf
};

using Properties = std::map<std::string, std::string>;  // key -> effective value; see properties.hpp

// The operator's settings, resolved for this machine. Input of the renderer.
struct Settings {
  Mode mode = Mode::kPrivate;
  Switching switching = Switching::kSocket;
  // Directories, absolute. Files of the configuration and the table; logs; scratch, pid and socket; what is
  // installed.
  std::string root;
  std::string logs;
  std::string run;
  std::string share;
  std::string program = "nginx";  // absolute
  std::string pid_file;           // of the master
  std::string control;            // the control socket, absolute, at most 107 bytes
  // A system's nginx that switches by reload has no socket of ours: left by a kill -9, it would keep all of
  // that nginx from starting. Instead it answers under this name on the http port, to this machine only.
  std::string control_name;
  // What workers write or read by themselves. Only access_logs is theirs where the master is root: in a
  // directory of a worker, a link could lead root astray.
  std::string access_logs;
  std::string worker_tmp;
  std::string pages;
  std::string worker_user;                // "" unless the master is root
  std::string worker_group;               // the user's; set when worker_user is
  std::vector<std::string> load_modules;  // absolute paths
  std::uint16_t http_port = 80;
  std::uint16_t https_port = 443;
  std::uint32_t workers = 0;  // 0: one per core
  std::uint32_t connections = 4096;
  std::uint32_t open_files = 0;  // 0: leave the limit alone
  std::uint32_t drain_limit_s = 60;
  std::uint32_t table_mb = 16;
  std::string bind_ipv4 = "0.0.0.0";  // empty: do not listen on IPv4
  std::string bind_ipv6 = "::";       // empty: do not listen on IPv6 (also set so where the machine has none)
  std::uint64_t generation = 1;       // counts reloads; the running nginx reports it
  Properties global;                  // the values that hold for apps without their own
};

struct Certificate {
  std::string certificate;  // absolute path, PEM, leaf first
  std::string key;          // absolute path, PEM
  bool operator==(const Certificate&) const = default;
};

// Input for one app's own server block.
struct Site {
  Route route;
  Properties properties;  // effective values, all declared keys
  std::optional<Certificate> certificate;
  std::string extra_dir;    // directory whose *.conf are included in the server block; empty: none
  std::string extra_stamp;  // changes when one of them does, so that a change is seen and loaded
};

// What the own server blocks, taken together, ask of the shared parts.
struct SharedNeeds {
  std::vector<std::string> addresses;  // listened on besides the operator's, as nginx writes them; sorted
  bool tls = false;                    // at least one certificate
  bool operator==(const SharedNeeds&) const = default;
};

}  // namespace davit::nginx
