-- The route table: which host belongs to which app, and where the app's instances listen.
-- It lives in two shared dictionaries, so that all workers see a change at once and no reload is needed.
-- It is not the record on disk (the plugin writes that, boot.lua reads it) and makes no routing decision (proxy.lua).
--
-- apps:  APP  -> the entry as JSON text. One key per app: replacing it is the atomic switch.
-- hosts: HOST -> APP. HOST is lower case, "*.example.com" for a wildcard.
local cjson = require "cjson.safe"
local inflight = require "davit.inflight"

local apps = ngx.shared.davit_apps
local hosts = ngx.shared.davit_hosts

local _M = {}

-- What this worker has decoded: app -> {raw, entry}. The text itself is the version, since equal strings are one
-- object in Lua and compare by pointer. One element per app that this worker has served, so bounded by the table.
local decoded = {}

-- The entry of an app and its text, or nil. Cheap: one dictionary read unless the app changed.
function _M.entry(app)
  local raw = apps:get(app)
  if not raw then
    decoded[app] = nil
    return nil
  end
  local known = decoded[app]
  if known and known.raw == raw then
    return known, raw
  end
  local entry = cjson.decode(raw)
  if type(entry) ~= "table" then
    return nil
  end
  local fresh = {
    raw = raw,
    app = app,
    revision = entry.revision or "",
    peers = entry.peers or {},
    labels = {},
    hosts = entry.hosts or {},
    maintenance = entry.maintenance == true,
    shared = entry.shared ~= false,
    next = math.random(0, 1024),
    down = {},
  }
  for index, peer in ipairs(fresh.peers) do
    fresh.labels[index] = inflight.label(peer)
  end
  decoded[app] = fresh
  return fresh, raw
end

-- Is the text that a request was routed by still the current one?
function _M.is_current(app, raw)
  return apps:get(app) == raw
end

-- The app that a host name belongs to, or nil: the exact name first, then the longest wildcard.
function _M.app_of(host)
  if not host or host == "" then
    return nil
  end
  local app = hosts:get(host)
  if app then
    return app
  end
  local from = 1
  for _ = 1, 32 do -- a name has at most 127 labels; nobody has 32
    local dot = string.find(host, ".", from, true)
    if not dot then
      return nil
    end
    app = hosts:get("*" .. string.sub(host, dot))
    if app then
      return app
    end
    from = dot + 1
  end
  return nil
end

-- The app that has exactly this name or wildcard, or nil.
function _M.owner(host)
  return hosts:get(host)
end

local function set_of(list)
  local set = {}
  for _, name in ipairs(list or {}) do
    set[name] = true
  end
  return set
end

-- Replaces one app's entry. Touches the keys of that app only; and, with `replaces`, the hosts of that other app,
-- which this one takes over: those that are its own too, and the rest go. The other's entry stays until it is removed:
-- a request may just have been sent there.
-- Returns true, or nil and a table {slug, message, host}. Either everything was done or nothing.
function _M.put(app, entry, replaces)
  local old, old_raw = _M.entry(app)
  local old_hosts = set_of(old and old.hosts)
  local added, taken, moved = {}, {}, {}
  local function back_out()
    for _, host in ipairs(added) do
      hosts:delete(host)
    end
    for _, host in ipairs(moved) do
      hosts:set(host, replaces)
    end
  end
  -- safe_add never evicts another app's key when the dictionary is full
  for _, host in ipairs(entry.hosts) do
    local owner = hosts:get(host)
    if replaces and owner == replaces then
      taken[#taken + 1] = host
    elseif owner ~= app then
      local ok, err = hosts:safe_add(host, app)
      if not ok then
        back_out()
        if err == "exists" then
          return nil, { slug = "host-taken", host = host, app = hosts:get(host),
                        message = host .. " belongs to the app " .. tostring(hosts:get(host)) }
        end
        return nil, { slug = "table-full", message = "the route table is full: " .. tostring(err) }
      end
      added[#added + 1] = host
    end
  end
  local ok, err = apps:safe_set(app, cjson.encode(entry))
  if not ok then
    back_out()
    return nil, { slug = "table-full", message = "the route table is full: " .. tostring(err) }
  end
  for _, host in ipairs(taken) do -- only now: the entry is there
    ok, err = hosts:safe_set(host, app)
    if not ok then
      back_out()
      if old_raw then
        apps:set(app, old_raw)
      else
        apps:delete(app)
      end
      return nil, { slug = "table-full", message = "the route table is full: " .. tostring(err) }
    end
    moved[#moved + 1] = host
  end
  local other = replaces and _M.entry(replaces)
  for _, host in ipairs(other and other.hosts or {}) do
    if hosts:get(host) == replaces then
      hosts:delete(host)
    end
  end
  local wanted = set_of(entry.hosts)
  for host in pairs(old_hosts) do
    if not wanted[host] and hosts:get(host) == app then
      hosts:delete(host)
    end
  end
  return true
end

-- Forgets an app. True if it was there.
function _M.remove(app)
  local old = _M.entry(app)
  if not old then
    return false
  end
  for _, host in ipairs(old.hosts) do
    if hosts:get(host) == app then
      hosts:delete(host)
    end
  end
  apps:delete(app)
  decoded[app] = nil
  return true
end

-- All app names, sorted. Reads the whole dictionary: for reports, not for requests.
function _M.names()
  local names = apps:get_keys(0)
  table.sort(names)
  return names
end

return _M
