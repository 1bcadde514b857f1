// See render.hpp: the file of one app.
#include <algorithm>

#include "config_text.hpp"
#include "properties.hpp"
#include "render.hpp"
#include "render_server.hpp"

namespace davit::nginx {
namespace {

constexpr std::string_view kHead = "# davit site";

// The addresses that only this app asks for: its own bind properties, where they differ from the global ones.
std::vector<std::string> own_addresses(const Settings& settings, const Site& site) {
  std::vector<std::string> addresses;
  const auto global4 = value_of(settings.global, "bind-address-ipv4");
  const auto global6 = value_of(settings.global, "bind-address-ipv6");
  const auto own4 = value_of(site.properties, "bind-address-ipv4");
  const auto own6 = value_of(site.properties, "bind-address-ipv6");
  if (own4 == global4 && own6 == global6) return addresses;
  const auto pick = [](const std::string& own, const std::string& global, const std::string& operators) {
    return !own.empty() ? own : !global.empty() ? global : operators;
  };
  if (!settings.bind_ipv4.empty()) addresses.push_back(pick(own4, global4, settings.bind_ipv4));
  if (!settings.bind_ipv6.empty()) addresses.push_back(bracketed(pick(own6, global6, settings.bind_ipv6)));
  return addresses;
}

void write_listen(ConfigText& out, const Settings& settings, const std::vector<std::string>& addresses,
                  bool tls) {
  if (addresses.empty()) {
    out.line("include {};", config_word(settings.root + (tls ? "/listen/https.conf" : "/listen/http.conf")));
    return;
  }
  for (const auto& address : addresses) {
    out.line("listen {}:{}{};", address, tls ? settings.https_port : settings.http_port,
             tls ? " ssl http2" : "");
  }
}

void write_names(ConfigText& out, const Site& site) {
  std::string names;
  for (const auto& host : site.route.hosts) names += " " + config_word(host);
  out.line("server_name{};", names.empty() ? " \"\"" : names);
}

// The upstream of an app when switching by reload.
void write_upstream(ConfigText& out, const Site& site) {
  if (site.route.peers.empty()) return;
  out.open(fmt::format("upstream davit-{}", site.route.app));
  for (const auto& peer : site.route.peers) {
    const auto address = peer.path.empty() ? peer.label() : "unix:" + peer.path;
    out.line("server {} fail_timeout=2s;", config_word(address));
  }
  out.close();
}

void write_extra(ConfigText& out, const Site& site) {
  if (site.extra_dir.empty()) return;
  out.line("# own configuration files, as of {}", site.extra_stamp);
  out.line("include {};", config_word(site.extra_dir + "/*.conf"));
}

void write_body(ConfigText& out, const Settings& settings, const Site& site) {
  const auto& app = site.route.app;
  write_server_basics(out, settings, site.properties, app);
  if (settings.switching == Switching::kSocket) {
    write_locations(out, settings, site.properties,
                    fmt::format("access_by_lua_block {{ require(\"davit.proxy\").access_own(\"{}\") }}", app),
                    "$davit_upstream");
  } else if (site.route.peers.empty() || site.route.maintenance) {
    out.line("error_page 503 /davit-error.html;");
    out.line("location / {{ return 503; }}");
    out.line("location = /davit-error.html {{ internal; root {}; }}", config_word(settings.pages));
  } else {
    write_locations(out, settings, site.properties, "", "davit-" + app);
  }
  write_extra(out, site);
}

// The plain-http block of an app with a certificate: it only redirects. Through Lua, because this block may
// also get requests for another app whose exact name lies below this one's wildcard.
void write_redirect_body(ConfigText& out, const Settings& settings, const Site& site) {
  const auto& app = site.route.app;
  if (settings.switching == Switching::kSocket) {
    write_server_basics(out, settings, site.properties, app);
    write_locations(out, settings, site.properties,
                    fmt::format("access_by_lua_block {{ require(\"davit.proxy\").access_own(\"{}\", {}) }}",
                                app, settings.https_port),
                    "$davit_upstream");
    return;
  }
  const auto port = settings.https_port == 443 ? std::string() : fmt::format(":{}", settings.https_port);
  out.line("return 301 https://$host{}$request_uri;", port);
}

}  // namespace

std::string Peer::label() const {
  return !path.empty() ? path : fmt::format("{}:{}", bracketed(host), port);
}

bool needs_own_site(const Settings& settings, const Site& site) {
  if (settings.switching == Switching::kReload || site.certificate || !site.extra_dir.empty()) return true;
  const auto all = properties();
  return std::any_of(all.begin(), all.end(), [&](const Property& property) {
    return value_of(site.properties, property.key) != value_of(settings.global, property.key);
  });
}

std::string render_site(const Settings& settings, const Site& site) {
  const auto addresses = own_addresses(settings, site);
  ConfigText out;
  std::string listens;
  for (const auto& address : addresses) listens += " listen=" + address;
  out.line("{} {}{}{}", kHead, site.route.app, site.certificate ? " tls" : "", listens);
  if (settings.switching == Switching::kReload) write_upstream(out, site);
  out.open("server");
  write_listen(out, settings, addresses, false);
  write_names(out, site);
  if (site.certificate) {
    write_redirect_body(out, settings, site);
  } else {
    write_body(out, settings, site);
  }
  out.close();
  if (!site.certificate) return out.take();
  out.open("server");
  write_listen(out, settings, addresses, true);
  write_names(out, site);
  out.line("ssl_certificate {};", config_word(site.certificate->certificate));
  out.line("ssl_certificate_key {};", config_word(site.certificate->key));
  out.line("ssl_protocols TLSv1.2 TLSv1.3;");
  out.line("ssl_prefer_server_ciphers off;");
  out.line("ssl_session_cache shared:davit_tls:10m;");
  out.line("ssl_session_timeout 1d;");
  write_hsts(out, site.properties);
  write_body(out, settings, site);
  out.close();
  return out.take();
}

void add_needs(const std::string& site_text, SharedNeeds& needs) {
  const auto head = site_text.substr(0, site_text.find('\n'));
  if (head.rfind(kHead, 0) != 0) return;
  std::size_t at = kHead.size();
  while (at < head.size()) {
    const auto end = std::min(head.find(' ', at), head.size());
    const auto word = head.substr(at, end - at);
    if (word == "tls") needs.tls = true;
    if (word.rfind("listen=", 0) == 0) needs.addresses.push_back(word.substr(7));
    at = end + 1;
  }
  std::sort(needs.addresses.begin(), needs.addresses.end());
  needs.addresses.erase(std::unique(needs.addresses.begin(), needs.addresses.end()), needs.addresses.end());
}

}  // namespace davit::nginx
