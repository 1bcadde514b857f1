-- Keeps access logs bounded: APP-access.log, or what access-log-path names, becomes NAME.1 when it has grown enough. Sizes
-- are counted as lines are written (about, not to the byte), so nobody has to look at a thousand files.
local sizes = ngx.shared.davit_state

local kMaxBytes = 32 * 1024 * 1024 -- of one file; two are kept

local _M = {}
local directory

function _M.configure(path)
  directory = path
end

-- One line of about `bytes` was or will be written to the log of this name.
function _M.account(name, bytes)
  local key = "log " .. name
  local size = sizes:incr(key, bytes)
  local path = directory .. name
  if not size then -- the first line since nginx started
    local file = io.open(path, "r")
    size = (file and file:seek("end") or 0) + bytes
    if file then
      file:close()
    end
    sizes:safe_add(key, size)
    if size < kMaxBytes then
      return
    end
  elseif size < kMaxBytes or size - bytes >= kMaxBytes then -- only the request that crosses the line renames
    return
  end
  os.rename(path, path .. ".1") -- other workers find out when open_log_file_cache expires
  sizes:set(key, 0)
end

return _M
