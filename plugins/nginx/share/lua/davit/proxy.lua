-- One request: find its app, count it, choose an instance, try another when that one cannot be reached.
-- Runs in every worker for every request, so it allocates little and reads the shared table once or twice.
local balancer = require "ngx.balancer"
local inflight = require "davit.inflight"
local logs = require "davit.logs"
local pages = require "davit.pages"
local routes = require "davit.table"

local kMaxTries = 4
local kDownSeconds = 2 -- how long an instance that refused is asked last

local _M = {}

-- Round robin over the instances of an entry; those in `tried`, and those that refused lately, come last.
local function choose(entry, tried)
  local peers = entry.peers
  local now = ngx.now()
  local fallback
  for _ = 1, #peers do
    entry.next = entry.next + 1
    local index = entry.next % #peers + 1
    if not tried[index] then
      if (entry.down[index] or 0) <= now then
        return index
      end
      fallback = fallback or index
    end
  end
  return fallback or entry.next % #peers + 1
end

-- Chooses an instance of the app and counts the request for it. The table is read again after counting: if it changed
-- in between, a drain of that instance may already have seen zero, so the request must not go there.
-- `attempt` = {entry, tried} of earlier tries, or nil. Returns {entry, index, key, tried}; index is nil when the app
-- has no instance; nil when there is no such app.
local function claim(app, attempt)
  for _ = 1, 8 do
    local entry, raw = routes.entry(app)
    if not entry then
      return nil
    end
    local tried = attempt and attempt.entry == entry and attempt.tried or {}
    if #entry.peers == 0 or entry.maintenance then
      return { entry = entry, tried = tried }
    end
    local index = choose(entry, tried)
    local key = inflight.key(app, entry.labels[index])
    inflight.enter(key)
    if routes.is_current(app, raw) then
      tried[index] = true
      return { entry = entry, index = index, key = key, tried = tried }
    end
    inflight.leave(key)
  end
  return nil
end

-- Access phase of the server block that apps without settings of their own share.
function _M.access_shared()
  local app = routes.app_of(ngx.var.host)
  local entry = app and routes.entry(app)
  if not entry or not entry.shared then -- an app with a server block of its own is reachable only there
    return pages.send(404)
  end
  return _M.access(app)
end

-- Access phase of an app's own server block. Another app's exact name wins over this app's wildcard.
-- `redirect_port` is set in the plain-http block of an app with a certificate.
function _M.access_own(own, redirect_port)
  local app = routes.app_of(ngx.var.host) or own
  if redirect_port and app == own then
    local port = redirect_port == 443 and "" or ":" .. redirect_port
    return ngx.redirect("https://" .. ngx.var.host .. port .. ngx.var.request_uri, ngx.HTTP_MOVED_PERMANENTLY)
  end
  return _M.access(app)
end

function _M.access(app)
  ngx.var.davit_app = app
  local attempt = claim(app)
  if not attempt then
    return pages.send(404)
  end
  if attempt.entry.maintenance then
    return pages.send(503, "maintenance")
  end
  if not attempt.index then
    return pages.send(503)
  end
  ngx.var.davit_inflight = attempt.key -- log() leaves by this; ngx.ctx does not survive an error page
  ngx.ctx.davit_attempt = attempt
end

-- Balancer phase: called once per try. nginx itself decides whether a try may follow (never for a POST that was sent).
function _M.balance()
  local ctx = ngx.ctx
  local attempt = ctx.davit_attempt
  if not attempt then
    return ngx.exit(502)
  end
  if ctx.davit_tried then
    attempt.entry.down[attempt.index] = ngx.now() + kDownSeconds
    local again = claim(attempt.entry.app, attempt)
    if not again or not again.index then
      return ngx.exit(503)
    end
    inflight.leave(attempt.key)
    ngx.var.davit_inflight = again.key
    ctx.davit_attempt = again
    attempt = again
  else
    ctx.davit_tried = true
    balancer.set_more_tries(math.max(1, math.min(#attempt.entry.peers, kMaxTries) - 1))
  end
  local peer = attempt.entry.peers[attempt.index]
  local ok, err
  if peer.path then
    ok, err = balancer.set_current_peer("unix:" .. peer.path)
  else
    ok, err = balancer.set_current_peer(peer.host, peer.port)
  end
  if not ok then
    ngx.log(ngx.ERR, "davit: app ", attempt.entry.app, ": instance cannot be addressed: ", err)
    return ngx.exit(502)
  end
end

-- Log phase.
function _M.log()
  local key = ngx.var.davit_inflight
  if key and key ~= "" then
    inflight.leave(key)
  end
  local app = ngx.var.davit_app
  local name = ngx.var.davit_log
  if app and app ~= "" and name ~= "off" then
    if not name or name == "" then
      name = app .. "-access.log"
    end
    logs.account(name, #(ngx.var.request or "") + #(ngx.var.http_user_agent or "") + #(ngx.var.http_referer or "") + 90)
  end
end

-- An error that nginx made itself (no instance reachable, timeout, too large).
function _M.error()
  return pages.send(ngx.status)
end

return _M
