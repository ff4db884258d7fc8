-- Sends the octets of a file as they are, one or more requests at a time, and prints what came of
-- it as JSON. Arguments: the file, and the mean pause in ms between two sendings of a connection.
local octets
local pause = 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  octets = file:read("*a")
  file:close()
  pause = tonumber(args[2]) or 0
  -- Each thread has its own generator, and all begin alike.
  math.randomseed(1)
  -- wrk asks for the octets once: a `request` function of ours would be called for each sending.
  wrk.format = function()
    return octets
  end
  if pause == 0 then
    delay = nil
  end
  io.stderr:write("begins\n")
end

-- Pauses between nothing and twice the mean, so that the clients do not march in step. wrk wants
-- whole ms: rounding by chance keeps the mean.
function delay()
  return math.floor(2 * pause * math.random() + math.random())
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"micros":%d,"p50":%d,"p99":%d,"refused":%d,"broken":%d,"late":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write, errors.timeout
  ))
end
