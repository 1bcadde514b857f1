// See render.hpp: the files that belong to no app.
#include "render.hpp"

#include <algorithm>

#include "config_text.hpp"
#include "render_server.hpp"

namespace davit::nginx {
namespace {

constexpr const char* kGenerated = "# Written by davit's nginx plugin; changes here are overwritten.";

// The addresses that apps without a bind property of their own are answered on.
std::vector<std::string> default_addresses(const Settings& settings) {
  const auto own4 = value_of(settings.global, "bind-address-ipv4");
  const auto own6 = value_of(settings.global, "bind-address-ipv6");
  std::vector<std::string> addresses;
  if (!settings.bind_ipv4.empty()) addresses.push_back(own4.empty() ? settings.bind_ipv4 : own4);
  if (!settings.bind_ipv6.empty()) addresses.push_back(bracketed(own6.empty() ? settings.bind_ipv6 : own6));
  return addresses;
}

// Every address of every block: one that is bound by a single app only would otherwise take the requests of
// all the other apps on it.
std::vector<std::string> all_addresses(const Settings& settings, const SharedNeeds& needs) {
  auto addresses = default_addresses(settings);
  for (const auto& address : needs.addresses) {
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end())
      addresses.push_back(address);
  }
  return addresses;
}

std::string listen_lines(const std::vector<std::string>& addresses, std::uint16_t port,
                         const std::string& flags) {
  ConfigText out;
  out.line("{}", kGenerated);
  for (const auto& address : addresses) out.line("listen {}:{}{};", address, port, flags);
  return out.take();
}

void write_control_server(ConfigText& out, const Settings& settings) {
  out.open("server");
  if (settings.control_name.empty()) {
    out.line("listen {};", config_word("unix:" + settings.control));
    out.line("server_name davit-control;");
  } else {
    out.line("include {};", config_word(settings.root + "/listen/http.conf"));
    out.line("server_name {};", settings.control_name);
    for (const auto& address : {settings.bind_ipv4, settings.bind_ipv6}) {
      if (!address.empty() && address != "0.0.0.0" && address != "::") out.line("allow {};", address);
    }
    for (const auto* address : {"127.0.0.0/8", "::1"}) out.line("allow {};", address);
    out.line("deny all;");
  }
  out.line("access_log off;");
  out.line("include {};", config_word(settings.root + "/generation.conf"));
  if (settings.switching == Switching::kSocket) {
    out.line("client_max_body_size 4m;");
    out.line("client_body_buffer_size 4m;");
    out.line("lua_socket_log_errors off;");
    out.line("location / {{ content_by_lua_block {{ require(\"davit.control\").handle() }} }}");
  } else {
    out.line("default_type application/json;");
    out.line(
        "location = /status {{ return 200 '{{\"engine\":\"files\",\"generation\":\"$davit_generation\"}}'; "
        "}}");
    out.line("location / {{ return 404 '{{\"slug\":\"no-such-path\",\"message\":\"no such path\"}}'; }}");
  }
  out.close();
}

void write_lua(ConfigText& out, const Settings& settings) {
  // The module's own text is the only Lua here; values come in as quoted Lua strings made of checked paths.
  out.line("lua_package_path {};", config_word(settings.share + "/lua/?.lua;;"));
  out.line("lua_shared_dict davit_apps {}m;", settings.table_mb);
  out.line("lua_shared_dict davit_hosts {}m;", settings.table_mb);
  out.line("lua_shared_dict davit_inflight 4m;");
  out.line("lua_shared_dict davit_state 4m;");
  out.open("init_by_lua_block");
  // An error here would keep nginx from starting: ours shall say so, the system's has the sites of others.
  const bool guest = settings.mode == Mode::kSystem;
  if (guest) out.line("local ok, why = pcall(function()");
  out.line("require(\"davit.boot\").init({{");
  out.line("  apps = [==[{}/apps]==],", settings.root);
  out.line("  logs = [==[{}/]==],", settings.access_logs);
  out.line("  page = [==[{}/errors/page.html]==],", settings.share);
  out.line("  socket = [==[{}]==],", settings.control);
  out.line("}})");
  if (guest) {
    out.line("end)");
    out.line("if not ok then");
    out.line("  ngx.log(ngx.ERR, \"davit: \", why)");
    out.line(
        "  local state = ngx.shared.davit_state");  // as boot.lua: what a killed nginx left, before bind()
    out.line("  if not state:get(\"loaded\") and state:add(\"alone\", true) then os.remove([==[{}]==]) end",
             settings.control);
    out.line("end");
  }
  out.close();
  out.line("init_worker_by_lua_block {{ require(\"davit.boot\").init_worker() }}");
  out.blank();
  out.line(
      "# Connections are kept only for requests that nginx may send again when the instance closes one just "
      "then.");
  out.open("map \"$http_upgrade:$request_method\" $davit_upstream");
  out.line("default davit_once;");
  for (const auto* method : {"GET", "HEAD", "OPTIONS"}) out.line("\":{}\" davit_keep;", method);
  out.close();
  for (const auto* name : {"davit_keep", "davit_once"}) {
    out.open(std::string("upstream ") + name);
    out.line("server 0.0.0.1;  # never used: the balancer names the instance");
    out.line("balancer_by_lua_block {{ require(\"davit.proxy\").balance() }}");
    if (std::string_view(name) == "davit_keep") {
      out.line("keepalive 64;");
      out.line("keepalive_requests 10000;");
      out.line("keepalive_timeout 1s;");  // shorter than the idle timeout of any common app server
    }
    out.close();
  }
}

void write_shared_server(ConfigText& out, const Settings& settings) {
  out.blank();
  out.line("# All apps without settings of their own, and every unknown host.");
  out.open("server");
  out.line("include {};", config_word(settings.root + "/listen/http-default.conf"));
  out.line("server_name _;");
  if (settings.switching == Switching::kSocket) {
    write_server_basics(out, settings, settings.global, "");
    write_locations(out, settings, settings.global,
                    "access_by_lua_block { require(\"davit.proxy\").access_shared() }", "$davit_upstream");
  } else {
    out.line("access_log off;");
    out.line("error_page 404 /davit-unknown.html;");
    out.line("location / {{ return 404; }}");
    out.line("location = /davit-unknown.html {{ internal; root {}; }}", config_word(settings.pages));
  }
  out.close();
}

void write_formats(ConfigText& out) {
  out.line(
      "log_format davit '$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent '\n"
      "                 '\"$http_referer\" \"$http_user_agent\" $host $request_time $upstream_addr "
      "$request_id';");
  out.line(
      "log_format davit_json escape=json '{{\"time\":\"$time_iso8601\",\"client\":\"$remote_addr\","
      "\"host\":\"$host\",\"request\":\"$request\",\"status\":$status,\"bytes\":$body_bytes_sent,'\n"
      "                 "
      "'\"seconds\":$request_time,\"upstream\":\"$upstream_addr\",\"id\":\"$request_id\"}}';");
}

}  // namespace

std::string render_main(const Settings& settings) {
  ConfigText out;
  out.line("{}", kGenerated);
  for (const auto& module : settings.load_modules) out.line("load_module {};", config_word(module));
  if (!settings.worker_user.empty()) out.line("user {} {};", settings.worker_user, settings.worker_group);
  out.line("daemon off;");
  out.line("pid {};", config_word(settings.pid_file));
  out.line("error_log {} notice;", config_word(settings.logs + "/error.log"));
  if (settings.workers == 0) {
    out.line("worker_processes auto;");
  } else {
    out.line("worker_processes {};", settings.workers);
  }
  out.line("worker_shutdown_timeout {}s;", settings.drain_limit_s);
  if (settings.open_files != 0) out.line("worker_rlimit_nofile {};", settings.open_files);
  out.line("events {{ worker_connections {}; }}", settings.connections);
  out.open("http");
  out.line("default_type application/octet-stream;");
  out.line("server_tokens off;");
  out.line("sendfile on;");
  out.line("tcp_nopush on;");
  for (const auto* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    out.line("{}_temp_path {};", kind, config_word(settings.worker_tmp + "/" + kind));
  }
  out.line("include {};", config_word(settings.root + "/http.conf"));
  out.close();
  return out.take();
}

std::string render_http(const Settings& settings, const SharedNeeds& needs) {
  ConfigText out;
  out.line("{}", kGenerated);
  out.line("server_names_hash_max_size 8192;");
  out.line("server_names_hash_bucket_size 256;");
  out.line("uninitialized_variable_warn off;");
  out.line("open_log_file_cache max=1024 inactive=30s valid=1m;");
  write_formats(out);
  out.line("map $http_upgrade $davit_connection {{ default upgrade; \"\" \"\"; }}");
  if (settings.switching == Switching::kSocket) write_lua(out, settings);
  out.line("include {};", config_word(settings.root + "/conf.d/*.conf"));
  out.blank();
  write_control_server(out, settings);
  write_shared_server(out, settings);
  if (needs.tls) {
    out.blank();
    out.line("# A name without a certificate gets no other app's.");
    out.open("server");
    out.line("include {};", config_word(settings.root + "/listen/https-default.conf"));
    out.line("server_name _;");
    out.line("ssl_reject_handshake on;");
    out.close();
  }
  out.blank();
  out.line("include {};", config_word(settings.root + "/sites/*.conf"));
  return out.take();
}

std::string render_generation(const Settings& settings) {
  return fmt::format("set $davit_generation {};\n", settings.generation);
}

std::map<std::string, std::string> render_shared_files(const Settings& settings, const SharedNeeds& needs) {
  const auto own = default_addresses(settings);
  const auto all = all_addresses(settings, needs);
  // Beside the sites of others, who is asked for unknown names is theirs to say. Only the table in memory
  // needs it: there all apps are answered by the default server.
  const bool polite = settings.mode == Mode::kSystem && settings.switching == Switching::kReload;
  const std::string is_default = polite ? "" : " default_server";
  return {
      {"nginx.conf", render_main(settings)},
      {"http.conf", render_http(settings, needs)},
      {"listen/http.conf", listen_lines(own, settings.http_port, "")},
      {"listen/http-default.conf", listen_lines(all, settings.http_port, is_default)},
      {"listen/https.conf", listen_lines(own, settings.https_port, " ssl http2")},
      {"listen/https-default.conf", listen_lines(all, settings.https_port, " ssl http2" + is_default)},
  };
}

}  // namespace davit::nginx
