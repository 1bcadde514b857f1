-- The pages that a visitor sees when there is no app to answer. They are read into memory at start by boot.lua, so a
-- worker without rights on the home can send them.
local _M = {}

local template = "{{status}} {{title}}"

local texts = {
  [404] = { "No such app here", "No app answers for <b>{{host}}</b> on this server. If you expected one, check the name, "
            .. "or add the domain to its app." },
  [413] = { "Too large", "The request to <b>{{host}}</b> is larger than this app accepts." },
  [502] = { "The app did not answer", "<b>{{host}}</b> is known here, but its instances do not answer. "
            .. "Try again in a moment." },
  [503] = { "Not running", "<b>{{host}}</b> is known here, but has no running instance." },
  [504] = { "The app took too long", "<b>{{host}}</b> did not answer in time. Try again in a moment." },
  maintenance = { "Back soon", "<b>{{host}}</b> is down for maintenance." },
}

local escapes = { ["<"] = "&lt;", [">"] = "&gt;", ["&"] = "&amp;", ['"'] = "&quot;", ["'"] = "&#39;" }

local function escape(text)
  return (string.gsub(text, "[<>&\"']", escapes))
end

function _M.load(path)
  local file = io.open(path, "r")
  if file then
    template = file:read("*a")
    file:close()
  end
end

-- The page for a status, as text. `kind` selects other words for the same status.
function _M.html(status, kind)
  local words = texts[kind or status] or texts[status] or { "Error", "Something went wrong." }
  local fill = {
    status = tostring(status),
    title = words[1],
    host = escape(ngx.var.host or ""),
    id = escape(ngx.var.request_id or ""),
  }
  fill.text = string.gsub(words[2], "{{(%w+)}}", fill)
  return (string.gsub(template, "{{(%w+)}}", fill))
end

-- Ends the request with a page.
function _M.send(status, kind)
  ngx.status = status
  ngx.header["Content-Type"] = "text/html; charset=utf-8"
  ngx.header["Cache-Control"] = "no-store"
  if status == 503 then
    ngx.header["Retry-After"] = "5"
  end
  if ngx.req.get_method() ~= "HEAD" then
    ngx.print(_M.html(status, kind))
  end
  return ngx.exit(ngx.HTTP_OK)
end

return _M
