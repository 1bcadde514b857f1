-- The control socket: the plugin changes and reads the route table here. Reachable only through a unix socket in a
-- directory of mode 0700. JSON in and out; errors are {"slug","message"}.
--
--   GET    /status                  generation, pid, engine
--   GET    /apps                    all names
--   GET    /apps/NAME               the entry
--   PUT    /apps/NAME[?probe=1]     replace the entry; with probe, only if every instance accepts a connection
--   DELETE /apps/NAME
--   GET    /apps/NAME/inflight[?peer=P&peer=P][&wait_ms=N]  requests in flight, all or to these instances (HOST:PORT or
--                                   a socket's path); waits until there are none, at most N ms
--   GET    /hosts/NAME              the app that owns exactly this host name
local cjson = require "cjson.safe"
local inflight = require "davit.inflight"
local routes = require "davit.table"

local kProbeTimeoutMs = 2000
local kMaxWaitMs = 600000
local kPollSeconds = 0.02

local _M = {}

local function reply(status, body)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.print(cjson.encode(body), "\n")
  return ngx.exit(ngx.HTTP_OK)
end

local function fail(status, slug, message, extra)
  local body = extra or {}
  body.slug, body.message = slug, message
  return reply(status, body)
end

local function list(values)
  return setmetatable(values, cjson.array_mt)
end

local function valid_app(name)
  return #name <= 63 and string.find(name, "^[a-z0-9][a-z0-9.-]*$") ~= nil and not string.find(name, "..", 1, true)
end

local function valid_host(host)
  if type(host) ~= "string" or #host == 0 or #host > 253 then
    return false
  end
  local bare = string.gsub(host, "^%*%.", "")
  return string.find(bare, "^[a-z0-9_-][a-z0-9._-]*$") ~= nil and not string.find(bare, "..", 1, true)
end

local function valid_peer(peer)
  if type(peer) ~= "table" then
    return false
  end
  if peer.path ~= nil then
    return type(peer.path) == "string" and string.find(peer.path, "^/[^%s?&]+$") ~= nil and #peer.path < 108
  end
  return type(peer.host) == "string" and string.find(peer.host, "^[0-9a-fA-F.:%[%]]+$") ~= nil
    and type(peer.port) == "number" and peer.port >= 1 and peer.port <= 65535 and peer.port % 1 == 0
end

-- Returns a clean entry or nil and why. Unknown keys are dropped: the plugin may be newer than a running nginx.
local function checked(body)
  local entry = cjson.decode(body or "")
  if type(entry) ~= "table" then
    return nil, "the body is not a JSON object"
  end
  if type(entry.revision) ~= "string" or string.find(entry.revision, "[^%w._-]") then
    return nil, "revision must be text of letters, digits, '.', '_' and '-'"
  end
  if type(entry.hosts) ~= "table" or type(entry.peers) ~= "table" then
    return nil, "hosts and peers must be arrays"
  end
  for _, host in ipairs(entry.hosts) do
    if not valid_host(host) then
      return nil, "not a host name: " .. tostring(host)
    end
  end
  local peers = {}
  for _, peer in ipairs(entry.peers) do
    if not valid_peer(peer) then
      return nil, "an instance needs an address and a port, or a path"
    end
    peers[#peers + 1] = peer.path and { path = peer.path } or { host = peer.host, port = peer.port }
  end
  return {
    revision = entry.revision,
    hosts = list(entry.hosts),
    peers = list(peers),
    maintenance = entry.maintenance == true,
    shared = entry.shared ~= false,
  }
end

-- The first instance that accepts no connection, or nil.
local function unreachable(peers)
  for _, peer in ipairs(peers) do
    local socket = ngx.socket.tcp()
    socket:settimeout(kProbeTimeoutMs)
    local name = inflight.label(peer)
    local ok, err
    if peer.path then
      ok, err = socket:connect("unix:" .. peer.path)
    else
      ok, err = socket:connect(peer.host, peer.port)
    end
    if not ok then
      return name, err
    end
    socket:close()
  end
  return nil
end

local function body_text()
  ngx.req.read_body()
  local text = ngx.req.get_body_data()
  if text then
    return text
  end
  local path = ngx.req.get_body_file()
  local file = path and io.open(path, "r")
  if not file then
    return nil
  end
  text = file:read("*a")
  file:close()
  return text
end

local forget_gone

local function put(app)
  local entry, why = checked(body_text())
  if not entry then
    return fail(400, "bad-route", why)
  end
  if ngx.var.arg_probe == "1" then
    local name, err = unreachable(entry.peers)
    if name then
      return fail(424, "instance-unreachable", "instance " .. name .. " accepts no connection: " .. err,
                  { instance = name })
    end
  end
  local old = routes.entry(app)
  local previous, old_labels = old and old.revision, old and old.labels or {}
  local replaces = ngx.var.arg_replaces
  if replaces and not valid_app(replaces) then
    return fail(400, "bad-route", "no such app can be replaced")
  end
  local ok, err = routes.put(app, entry, replaces)
  if not ok then
    return fail(err.slug == "host-taken" and 409 or 507, err.slug, err.message, { host = err.host, app = err.app })
  end
  forget_gone(app, old_labels)
  return reply(200, { app = app, revision = entry.revision, previous = previous })
end

local function show(app)
  local entry = routes.entry(app)
  if not entry then
    return fail(404, "no-such-app", app .. " has no routes")
  end
  return reply(200, { app = app, revision = entry.revision, hosts = list(entry.hosts), peers = list(entry.peers),
                      maintenance = entry.maintenance, shared = entry.shared })
end

local function asked_peers()
  local peers = ngx.req.get_uri_args(1000).peer
  if peers == nil or type(peers) == "boolean" then
    return {}
  end
  return type(peers) == "table" and peers or { peers }
end

-- Forgets the counts of those instances that the app's entry does not name any more.
function forget_gone(app, peers)
  local entry = routes.entry(app)
  local present = {}
  for _, label in ipairs(entry and entry.labels or {}) do
    present[label] = true
  end
  local gone = {}
  for _, label in ipairs(peers) do
    if not present[label] then
      gone[#gone + 1] = label
    end
  end
  inflight.forget(app, gone)
end

local function count(app)
  local peers = asked_peers()
  if #peers == 0 then
    return reply(200, { app = app, inflight = inflight.all(app) })
  end
  local wait_ms = math.min(tonumber(ngx.var.arg_wait_ms) or 0, kMaxWaitMs)
  ngx.update_time()
  local until_time = ngx.now() + wait_ms / 1000
  local n = inflight.count(app, peers)
  while n > 0 and ngx.now() < until_time and not ngx.worker.exiting() do
    ngx.sleep(kPollSeconds)
    n = inflight.count(app, peers)
  end
  if n == 0 then
    forget_gone(app, peers)
  end
  return reply(200, { app = app, count = n })
end

local function status()
  local state = ngx.shared.davit_state
  return reply(200, {
    engine = "lua",
    generation = ngx.var.davit_generation,
    started_at = state:get("started_at"),
    worker = ngx.worker.pid(),
    nginx = ngx.config.nginx_version,
    lua = ngx.config.ngx_lua_version,
    free_bytes = ngx.shared.davit_apps:free_space(),
  })
end

-- content_by_lua of the control server.
function _M.handle()
  local method, path = ngx.req.get_method(), ngx.var.uri
  if path == "/status" and method == "GET" then
    return status()
  end
  if path == "/apps" and method == "GET" then
    return reply(200, { apps = list(routes.names()) })
  end
  local host = string.match(path, "^/hosts/([^/]+)$")
  if host and method == "GET" then
    local owner = routes.owner(host)
    return owner and reply(200, { host = host, app = owner }) or fail(404, "no-such-host", "no app has this host")
  end
  local app, verb = string.match(path, "^/apps/([^/]+)/?(%a*)$")
  if not app or not valid_app(app) then
    return fail(404, "no-such-path", "no such path")
  end
  if verb == "inflight" and method == "GET" then
    return count(app)
  end
  if verb == "" and method == "GET" then
    return show(app)
  end
  if verb == "" and (method == "PUT" or method == "POST") then
    return put(app)
  end
  if verb == "" and method == "DELETE" then
    local old = routes.entry(app)
    local labels = old and old.labels or {}
    local removed = routes.remove(app)
    forget_gone(app, labels)
    return reply(200, { app = app, removed = removed })
  end
  return fail(405, "no-such-verb", "no such verb")
end

return _M
