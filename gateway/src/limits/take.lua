-- Takes all claims of a request, or none.
-- KEYS: a counter each. ARGV: the lease's id, its time to live in ms, then kind, limit and amount of each claim.
-- Returns: place of the claim in the way (0: taken), the second it was counted in, then used and wait in ms of each (-1: unknown).
local WINDOW_SECONDS = 60
local time = redis.call('TIME')
local second = tonumber(time[1])
local now = second * 1000 + math.floor(tonumber(time[2]) / 1000)
local refused = 0
local answer = { 0, second }

local function window(key)
  local fields = redis.call('HGETALL', key)
  local buckets, used = {}, 0
  for at = 1, #fields, 2 do
    local bucket = tonumber(fields[at])
    if bucket < second - WINDOW_SECONDS then
      redis.call('HDEL', key, fields[at])
    else
      local amount = tonumber(fields[at + 1])
      used = used + amount
      buckets[#buckets + 1] = { bucket, amount }
    end
  end
  return used, buckets
end

local function wait(buckets, left, limit)
  table.sort(buckets, function(one, other) return one[1] < other[1] end)
  for _, bucket in ipairs(buckets) do
    left = left - bucket[2]
    if left <= limit then return (bucket[1] + WINDOW_SECONDS + 1) * 1000 - now end
  end
  return -1
end

for at, key in ipairs(KEYS) do
  local kind = ARGV[3 * at]
  local limit = tonumber(ARGV[3 * at + 1])
  local amount = tonumber(ARGV[3 * at + 2])
  local used, waitMs = 0, -1
  if kind == 'concurrent' then
    -- Leases of gateways that died are over by themselves.
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    used = redis.call('ZCARD', key)
  else
    local buckets
    used, buckets = window(key)
    if used + amount > limit and amount <= limit then waitMs = wait(buckets, used + amount, limit) end
  end
  if used + amount > limit and refused == 0 then refused = at end
  answer[#answer + 1] = used
  answer[#answer + 1] = waitMs
end

answer[1] = refused
if refused ~= 0 then return answer end

for at, key in ipairs(KEYS) do
  if ARGV[3 * at] == 'concurrent' then
    redis.call('ZADD', key, now + tonumber(ARGV[2]), ARGV[1])
    redis.call('PEXPIRE', key, tonumber(ARGV[2]))
  else
    redis.call('HINCRBY', key, second, ARGV[3 * at + 2])
    redis.call('EXPIRE', key, WINDOW_SECONDS + 2)
  end
end
return answer
