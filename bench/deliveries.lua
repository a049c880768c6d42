-- For wrk: posts one signed delivery after the other. Arguments: a file with the body, a file with a line
-- "<webhook-id> <webhook-timestamp> <webhook-signature>" for each. Prints one line of JSON at the end; times are in ms.

local body, lines, at

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  body = file:read("*a")
  file:close()
  lines, at = {}, 0
  for line in io.lines(arguments[2]) do
    lines[#lines + 1] = line
  end
end

function request()
  at = at + 1
  local id, stamp, signature = string.match(lines[at] or lines[#lines], "(%S+) (%S+) (%S+)")
  return wrk.format("POST", nil, {
    ["Content-Type"] = "application/json",
    ["User-Agent"] = "Gazette/2.1 (+https://gazette.example)",
    ["webhook-id"] = id,
    ["webhook-timestamp"] = stamp,
    ["webhook-signature"] = signature,
  }, body)
end

function done(summary, latency)
  local errors = summary.errors
  local lost = errors.connect + errors.read + errors.write + errors.timeout
  print(string.format(
    '{"requests": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f, "max": %.3f, "refused": %d, "lost": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    latency.max / 1000, errors.status, lost))
end
