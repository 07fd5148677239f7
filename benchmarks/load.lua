-- What wrk sends: the requests of a file, in turn, each "{number}" in them ten digits that no other request has.
-- wrk ... -s load.lua ADDRESS -- FILE FIRST_NUMBER; the file has its requests one after the other, a NUL between them.

local MARK = "{number}"
local made, number, turn = {}, 0, 0

local function parts(request)
  local found, from = {}, 1
  while true do
    local at, to = request:find(MARK, from, true)
    if not at then break end
    found[#found + 1] = request:sub(from, at - 1)
    from = to + 1
  end
  found[#found + 1] = request:sub(from)
  return found
end

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  local text = file:read("*a")
  file:close()
  number = tonumber(arguments[2])
  for request in text:gmatch("%Z+") do
    made[#made + 1] = parts(request)
  end
end

function request()
  turn = turn % #made + 1
  local found = made[turn]
  if #found == 1 then return found[1] end
  number = number + 1
  return table.concat(found, string.format("%010d", number))
end

function done(summary, latency)
  local failed = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "microseconds": %d, "p50": %f, "p99": %f, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), failed.status,
    failed.connect + failed.read + failed.write + failed.timeout
  ))
end
