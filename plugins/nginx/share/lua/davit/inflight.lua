-- Counts the requests in flight per app and instance, so that a drain is awaited and not guessed.
-- Not a metric: it counts no totals. A worker that dies takes its own counts along, because every count is kept per
-- worker and only those of living workers are summed.
--
-- davit_inflight:  "w:SLOT" -> worker id,  "APP PEER WORKERID" -> count.   (no part can hold a space: control.lua checks)
-- PEER is "HOST:PORT" or a socket's path.
local ffi = require "ffi"

ffi.cdef [[ int kill(int pid, int sig); ]]

local counts = ngx.shared.davit_inflight
local kMaxSlots = 512 -- workers, draining ones of earlier reloads included

local _M = {}
local id -- of this worker: PID-STARTED, so that a reused pid is another worker

local function alive(worker)
  local pid = tonumber(string.match(worker, "^(%d+)-"))
  if not pid then
    return false
  end
  return ffi.C.kill(pid, 0) == 0 or ffi.errno() == 1 -- EPERM: there, but not ours
end

-- Called once in each worker.
function _M.register()
  id = ngx.worker.pid() .. "-" .. string.format("%.0f", ngx.now() * 1000)
  for slot = 1, kMaxSlots do
    local key = "w:" .. slot
    local other = counts:get(key)
    if not other then
      if counts:safe_add(key, id) then
        return
      end
    elseif not alive(other) then
      counts:delete(key)
      if counts:safe_add(key, id) then
        return
      end
    end
  end
  ngx.log(ngx.ERR, "davit: no free worker slot, requests of this worker are not awaited by a drain")
end

function _M.label(peer)
  return peer.path or (peer.host .. ":" .. peer.port)
end

function _M.key(app, label)
  return app .. " " .. label .. " " .. (id or "")
end

function _M.enter(key)
  local now, err = counts:incr(key, 1)
  if not now and err == "not found" then
    if not counts:safe_add(key, 1) then
      counts:incr(key, 1)
    end
  end
end

function _M.leave(key)
  counts:incr(key, -1)
end

-- The ids of the living workers.
local function workers()
  local found = {}
  local misses = 0
  for slot = 1, kMaxSlots do
    local other = counts:get("w:" .. slot)
    if other then
      misses = 0
      if alive(other) then
        found[#found + 1] = other
      end
    else
      misses = misses + 1
      if misses > 8 then -- slots are taken from the bottom
        break
      end
    end
  end
  return found
end

-- Requests in flight to some instances of an app. `labels`: a list of PEER.
function _M.count(app, labels)
  local sum = 0
  for _, worker in ipairs(workers()) do
    for _, label in ipairs(labels) do
      local n = counts:get(app .. " " .. label .. " " .. worker)
      if n and n > 0 then
        sum = sum + n
      end
    end
  end
  return sum
end

-- Forgets instances that get no request any more. A count that is still held is kept.
function _M.forget(app, labels)
  for _, worker in ipairs(workers()) do
    for _, label in ipairs(labels) do
      local key = app .. " " .. label .. " " .. worker
      if (counts:get(key) or 0) <= 0 then
        counts:delete(key)
      end
    end
  end
end

-- {PEER -> count} of one app, for reports.
function _M.all(app)
  local sums = {}
  local living = {}
  for _, worker in ipairs(workers()) do
    living[worker] = true
  end
  for _, key in ipairs(counts:get_keys(0)) do
    local a, label, worker = string.match(key, "^(%S+) (%S+) (%S+)$")
    if a == app and living[worker] then
      sums[label] = (sums[label] or 0) + math.max(counts:get(key) or 0, 0)
    end
  end
  return sums
end

return _M
