// See render_server.hpp.
#include "render_server.hpp"

#include "properties.hpp"

namespace davit::nginx {

std::string config_word(std::string_view value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

std::string value_of(const Properties& properties, std::string_view key) {
  const auto found = properties.find(std::string(key));
  if (found != properties.end() && !found->second.empty()) return found->second;
  const auto* property = find_property(key);
  return property == nullptr ? std::string() : std::string(property->fallback);
}

std::string bracketed(const std::string& address) {
  const bool bare_ipv6 = address.find(':') != std::string::npos && address.front() != '[';
  return bare_ipv6 ? "[" + address + "]" : address;
}

namespace {

// The path always has a variable: then the workers open the file, not a master that may be root, in a
// directory that the workers can write.
void write_access_log(ConfigText& out, const Settings& settings, const Properties& properties) {
  const auto path = value_of(properties, "access-log-path");
  if (path == "off") {
    out.line("access_log off;");
    return;
  }
  auto format = value_of(properties, "access-log-format");
  if (format.empty()) format = "combined";
  const std::string name = path.empty() ? "${davit_app}-access.log" : "$davit_log";
  out.line("access_log {} {} if=$davit_app;", config_word(settings.access_logs + "/" + name), format);
}

void write_error_log(ConfigText& out, const Settings& settings, const Properties& properties,
                     const std::string& app) {
  const auto path = value_of(properties, "error-log-path");
  if (path == "off") {
    out.line("error_log /dev/null crit;");
  } else if (!path.empty() || !app.empty()) {
    out.line("error_log {} error;",
             config_word(settings.logs + "/" + (path.empty() ? app + "-error.log" : path)));
  }
}

void write_gzip(ConfigText& out) {
  out.line("gzip on;");
  out.line("gzip_min_length 1100;");
  out.line("gzip_buffers 4 32k;");
  out.line(
      "gzip_types text/css text/javascript text/xml text/plain text/x-component application/javascript "
      "application/x-javascript application/json application/xml application/rss+xml font/truetype "
      "application/x-font-ttf font/opentype application/vnd.ms-fontobject image/svg+xml;");
  out.line("gzip_vary on;");
  out.line("gzip_comp_level 6;");
}

}  // namespace

void write_server_basics(ConfigText& out, const Settings& settings, const Properties& properties,
                         const std::string& app) {
  out.line("set $davit_app {};", config_word(app));
  out.line("set $davit_log {};", config_word(value_of(properties, "access-log-path")));
  out.line("set $davit_inflight \"\";");
  // A log path with a variable is opened only if the root exists, so it must be a directory that is always
  // there.
  out.line("root {};", config_word(settings.pages));
  write_access_log(out, settings, properties);
  write_error_log(out, settings, properties, app);
  for (const auto* key : {"client-max-body-size", "client-body-timeout", "client-header-timeout",
                          "keepalive-timeout", "lingering-timeout", "send-timeout"}) {
    std::string directive = key;
    for (auto& c : directive) c = c == '-' ? '_' : c;
    out.line("{} {};", directive, value_of(properties, key));
  }
  out.line("underscores_in_headers {};", value_of(properties, "underscore-in-headers"));
  write_gzip(out);
}

void write_proxy_directives(ConfigText& out, const Properties& properties) {
  out.line("proxy_http_version 1.1;");
  for (const auto* key : {"proxy-buffer-size", "proxy-buffering", "proxy-buffers", "proxy-busy-buffers-size",
                          "proxy-connect-timeout", "proxy-read-timeout", "proxy-send-timeout"}) {
    std::string directive = key;
    for (auto& c : directive) c = c == '-' ? '_' : c;
    out.line("{} {};", directive, value_of(properties, key));
  }
  // Another instance is tried after a failed connection, never after a long wait for an answer.
  out.line("proxy_next_upstream error timeout;");
  out.line("proxy_next_upstream_timeout 15s;");
  out.line("proxy_set_header Host $http_host;");
  out.line("proxy_set_header Connection $davit_connection;");
  out.line("proxy_set_header Upgrade $http_upgrade;");
  out.line("proxy_set_header X-Forwarded-For {};",
           config_word(value_of(properties, "x-forwarded-for-value")));
  out.line("proxy_set_header X-Forwarded-Proto {};",
           config_word(value_of(properties, "x-forwarded-proto-value")));
  out.line("proxy_set_header X-Forwarded-Port {};",
           config_word(value_of(properties, "x-forwarded-port-value")));
  out.line("proxy_set_header X-Forwarded-Host $http_host;");
  out.line("proxy_set_header X-Forwarded-Ssl {};", config_word(value_of(properties, "x-forwarded-ssl")));
  out.line("proxy_set_header X-Real-IP $remote_addr;");
  out.line("proxy_set_header X-Request-Id $request_id;");
  out.line("proxy_set_header X-Request-Start $msec;");
  out.line("proxy_set_header Forwarded \"\";");
  out.line("proxy_set_header Proxy \"\";");
}

void write_locations(ConfigText& out, const Settings& settings, const Properties& properties,
                     const std::string& access, const std::string& upstream) {
  const bool lua = settings.switching == Switching::kSocket;
  out.line("error_page 413 502 503 504 {};", lua ? "@davit_error" : "/davit-error.html");
  if (lua) out.line("log_by_lua_block {{ require(\"davit.proxy\").log() }}");
  out.open("location /");
  if (!access.empty()) out.line("{}", access);
  write_proxy_directives(out, properties);
  out.line("proxy_pass http://{};", upstream);
  out.close();
  out.open(lua ? "location @davit_error" : "location = /davit-error.html");
  out.line("internal;");
  if (lua) {
    out.line("content_by_lua_block {{ require(\"davit.proxy\").error() }}");
  } else {
    out.line("root {};", config_word(settings.pages));
  }
  out.close();
}

void write_hsts(ConfigText& out, const Properties& properties) {
  if (value_of(properties, "hsts") != "true") return;
  auto header = "max-age=" + value_of(properties, "hsts-max-age");
  if (value_of(properties, "hsts-include-subdomains") == "true") header += "; includeSubdomains";
  if (value_of(properties, "hsts-preload") == "true") header += "; preload";
  out.line("add_header Strict-Transport-Security {} always;", config_word(header));
}

}  // namespace davit::nginx
