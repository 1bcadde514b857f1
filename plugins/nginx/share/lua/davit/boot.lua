-- Start of nginx: the master fills the table from the files that the plugin wrote, before it listens; each worker then
-- registers itself. A reload (HUP) keeps the shared dictionaries, which are newer than or equal to the files.
local cjson = require "cjson.safe"
local ffi = require "ffi"
local process = require "ngx.process"

ffi.cdef [[
  typedef struct davit_dir davit_dir;
  struct davit_dirent { uint64_t ino; int64_t off; unsigned short reclen; unsigned char type; char name[256]; };
  davit_dir *opendir(const char *name);
  struct davit_dirent *readdir(davit_dir *dir);
  int closedir(davit_dir *dir);
  int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
  int getppid(void);
  int raise(int signal);
]]

local _M = {}

local function files_in(path)
  local names = {}
  local dir = ffi.C.opendir(path)
  if dir == nil then
    return nil, "cannot read " .. path
  end
  while true do
    local entry = ffi.C.readdir(dir)
    if entry == nil then
      break
    end
    names[#names + 1] = ffi.string(entry.name)
  end
  ffi.C.closedir(dir)
  return names
end

local function load_table(directory)
  local routes = require "davit.table"
  local names, err = files_in(directory)
  if not names then
    ngx.log(ngx.ERR, "davit: ", err)
    return
  end
  for _, name in ipairs(names) do
    local app = string.match(name, "^([a-z0-9][a-z0-9.-]*)%.json$")
    if app then
      local file = io.open(directory .. "/" .. name, "r")
      local entry = file and cjson.decode(file:read("*a"))
      if file then
        file:close()
      end
      if type(entry) == "table" and type(entry.hosts) == "table" and type(entry.peers) == "table" then
        local ok, why = routes.put(app, entry)
        if not ok then
          ngx.log(ngx.ERR, "davit: route of app ", app, " not loaded: ", why.message)
        end
      else
        ngx.log(ngx.ERR, "davit: route file of app ", app, " is not readable, skipped")
      end
    end
  end
end

-- init_by_lua. `paths`: apps (directory of route files), logs (directory of access logs, with a slash at its end), page
-- (the error page), socket (the control socket).
function _M.init(paths)
  -- everything a worker needs is loaded here, since a worker may have no right to read the files
  require "davit.control"
  require "davit.proxy"
  require("davit.pages").load(paths.page)
  require("davit.logs").configure(paths.logs)
  local state = ngx.shared.davit_state
  if state:get("loaded") then
    return
  end
  -- A cold start. Nothing listens yet; a socket file left by a killed nginx would make bind() fail.
  os.remove(paths.socket)
  load_table(paths.apps)
  state:set("loaded", true)
  state:set("started_at", os.time())
end

-- init_worker_by_lua.
function _M.init_worker()
  -- A master killed with -9 must not leave workers that hold the port: they get SIGQUIT, close their listeners and
  -- finish what they have.
  ffi.C.prctl(1, 3, 0, 0, 0)
  local master = process.get_master_pid()
  if master and ffi.C.getppid() ~= master then
    ffi.C.raise(3)  -- it was killed before we asked to be told
  end
  math.randomseed(ngx.worker.pid() + ngx.now() * 1000)
  require("davit.inflight").register()
end

return _M
