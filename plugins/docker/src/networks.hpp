// One user-defined bridge network for each app: its containers find each other by name, and no others find
// them. And those that users make (network:create), which apps join besides it or instead.
#pragma once

#include <string>
#include <vector>

#include "parts.hpp"

namespace davit::docker_plugin {

inline constexpr const char* kUserKind = "user-network";  ///< the kind of those of network:create

class Networks {
 public:
  explicit Networks(const Base& base) : base_(base) {}
  /// Makes it if it is not there; its name.
  std::string ensure(const sdk::Call& call, std::uint32_t owner_kind, const std::string& owner);
  /// Idempotent; leaves one that a container still uses.
  void remove(std::uint32_t owner_kind, const std::string& owner);
  /// What a container of the owner begins on: its initial-network, else its own network, made if need be.
  std::string first(const sdk::Call& call, std::uint32_t owner_kind, const std::string& owner);
  /// Starts a new container that begins on its owner's network. Whoever removed the owner's last one just now
  /// may have taken the network along.
  void start(const sdk::Call& call, const std::string& container, std::uint32_t owner_kind,
             const std::string& owner);
  /// Connects a container that was not started yet to what its app joins (attach-post-create).
  void join(const sdk::Call& call, const std::string& container, std::uint32_t owner_kind,
            const std::string& owner, const std::vector<std::string>& aliases);
  /// Connects an app's healthy instance to what it joins then (attach-post-deploy). Idempotent.
  void expose(const sdk::Call& call, const std::string& container, const std::string& app,
              const std::vector<std::string>& aliases);
  void create(const sdk::Call& call, Json request);
  /// By its whole name: the engine also takes the beginning of an id, which may be a stranger's.
  bool find(const std::string& name, Json& found, const Patience& patience) const;
  /// By network:create of this home.
  [[nodiscard]] bool is_made_by_user(const Json& network) const;
  /// Or it is named in the setting networks. On every other one there are members that nobody has asked:
  /// those of another home, of a service, of a stranger.
  [[nodiscard]] bool is_for_apps(const Json& network) const;

 private:
  /// Its usual name, and the one for where another owner has that.
  [[nodiscard]] sdk::Strings names_of(std::uint32_t owner_kind, const std::string& owner) const;
  /// By its labels. One without any, which somebody else made beforehand, is nobody's: it is used, and stays.
  [[nodiscard]] bool belongs_to(const Json& network, std::uint32_t owner_kind,
                                const std::string& owner) const;
  [[nodiscard]] bool is_of_another(const Json& network, std::uint32_t owner_kind,
                                   const std::string& owner) const;
  /// Throws sdk::Failure where the app must not join it.
  void check_joins(const sdk::Call& call, const std::string& app, const std::string& network) const;
  void connect(const sdk::Call& call, const std::string& app, const std::string& network,
               const std::string& container, const std::vector<std::string>& aliases);
  const Base& base_;
};

/// What network:set says for an app.
struct NetworkChoice {
  std::string initial;          ///< instead of its own; "": none
  sdk::Strings attached;        ///< from an instance's making on
  sdk::Strings exposed;         ///< from when an instance is healthy
  bool all_interfaces = false;  ///< its ports are published on this machine's every address
  [[nodiscard]] sdk::Strings all() const;
};
NetworkChoice networks_of(const sdk::Host& host, const sdk::Call& call, const std::string& app);

/// What makes an app join a network.
struct NetworkSetting {
  std::string key;         ///< of network:set
  bool is_global = false;  ///< the app has no such setting of its own
  sdk::Strings others;     ///< that it names besides
  /// The command that takes the network away, and leaves the others.
  [[nodiscard]] std::string without_it(const std::string& app) const;
};
/// nullopt: the app does not join it.
std::optional<NetworkSetting> setting_that_joins(const sdk::Host& host, const sdk::Call& call,
                                                 const std::string& app, const std::string& network);

/// Throws sdk::Failure (invalid) for what is no name of a network, and for the engine's own three.
void check_network_name(const std::string& name);

/// The n-th /24 of "10.88.0.0/16", or "" past its end. Throws sdk::Failure if the text is no such pool. Pure.
std::string subnet_of(const std::string& pool, unsigned n);

}  // namespace davit::docker_plugin
