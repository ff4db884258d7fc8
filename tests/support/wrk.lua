-- Makes wrk send batches of all kinds of requests that loaded_app.ts knows; prints its counts as
-- JSON.
local kinds = { "now", "now", "late", "stream", "echo" }
local batch

function init()
  local all = {}
  for i = 1, 8 do
    local kind = kinds[i % #kinds + 1]
    local is_echo = kind == "echo"
    all[i] = wrk.format(is_echo and "POST" or "GET", "/" .. kind .. "/text", nil, is_echo and "text" or nil)
  end
  batch = table.concat(all)
end

function request()
  return batch
end

function done(summary)
  local e = summary.errors
  local form = '{"answers":%d,"cut":%d,"refused":%d,"failed":%d,"late":%d}'
  print(form:format(summary.requests, e.read, e.connect + e.write, e.status, e.timeout))
end
