-- Sends the octets of a file, one or more requests, and prints the result as JSON. Arguments: the
-- file, and the mean pause of a connection between two sends in ms.
local octets
local pause = 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  octets = file:read("*a")
  file:close()
  pause = tonumber(args[2]) or 0
  -- Each thread has its own generator: seed all of them alike.
  math.randomseed(1)
  -- wrk asks for the octets once, whereas it would call a `request` function for every send.
  wrk.format = function()
    return octets
  end
  if pause == 0 then
    delay = nil
  end
  io.stderr:write("begins\n")
end

-- Pauses between zero and twice the mean, so that the clients do not move in lockstep. wrk wants
-- whole ms: random rounding preserves the mean.
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
