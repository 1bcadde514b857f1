// The proxy as a whole: brings nginx up, validates and applies one app's routes, takes them back, awaits a
// drain. This is the prose of davit.proxy/1; files, rendering and the control socket are elsewhere. One
// object serves one process; several processes may work at once on different apps (files are per app, reloads
// are under a lock).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "control_client.hpp"
#include "live_files.hpp"
#include "machine.hpp"
#include "model.hpp"
#include "route_store.hpp"

namespace davit::nginx {

// What is set for one app, apart from its route: asked for when a site is rendered.
struct AppInputs {
  Properties properties;  // effective values
  std::optional<Certificate> certificate;
  std::string extra_dir;
  std::string extra_stamp;
};

class Engine {
 public:
  Engine(Settings settings, Machine& machine, std::function<AppInputs(const std::string& app)> inputs);

  // Directories, shared files, a running nginx that answers. Idempotent; cheap when nothing changed.
  void ensure();

  // Validates without effect. Returns a token for undo: what is there now.
  std::string prepare(const Route& route);
  // New requests go to the route's instances when it returns. On failure the table is as before.
  void apply(const Route& route);
  // Puts back what the token holds. Idempotent, and fine if apply never ran or nginx is down.
  void undo(const std::string& app, const std::string& token);
  // True when no request is in flight to these instances; false after timeout_ms.
  bool drain(const std::string& app, const std::vector<Peer>& peers, std::uint64_t timeout_ms);
  void remove(const std::string& app);  // idempotent
  std::vector<std::string> owned() const { return store_.names(); }

  // Checks the live set as it is on disk. Throws with nginx's words.
  void validate() { live_.check({}); }
  // Would nginx take what the properties of these apps, and the global ones, ask for now? Throws with nginx's
  // words. No effect.
  void check_sites(const std::vector<std::string>& apps);
  // Would nginx take this certificate for the app? Throws with nginx's words. No effect.
  void check_certificate(const std::string& app, const Certificate& certificate);
  // The configuration that answers the app's requests.
  std::string show(const std::string& app) const;
  // The route as recorded, or nothing.
  std::optional<Route> route_of(const std::string& app) const { return store_.get(app); }
  AppInputs inputs(const std::string& app) const { return inputs_(app); }
  // The app's file on disk is not what its route and properties ask for.
  bool site_differs(const std::string& app) const;
  // Checks the files on disk and lets nginx read them anew, also if nothing of ours has changed.
  void reload();
  bool answers() { return live_.is_up(); }
  const Settings& settings() const { return settings_; }

 private:
  void make_directories();
  void start_and_wait();
  // Does what needs a listening nginx; once more after bringing it up if nobody listens.
  void tell(const std::function<void()>& act);
  std::optional<std::string> wanted_site(const Route& route) const;
  void check_values(const Route& route);
  void switch_by_socket(const Route& route, const FileChanges& changes);
  void switch_by_reload(const FileChanges& changes);
  void require_reachable(const Route& route) const;
  void restore(const std::string& app, const std::optional<Route>& route,
               const std::optional<std::string>& site);

  Settings settings_;
  Machine& machine_;
  std::function<AppInputs(const std::string&)> inputs_;
  ControlClient control_;
  LiveFiles live_;
  RouteStore store_;
};

}  // namespace davit::nginx
