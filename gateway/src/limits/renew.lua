-- Keeps the places of a request that still runs. KEYS: its counters. ARGV: the lease's id, its time to live in ms.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
for _, key in ipairs(KEYS) do
  -- Only what is still there: a lease that ended meanwhile must not come back.
  redis.call('ZADD', key, 'XX', now + tonumber(ARGV[2]), ARGV[1])
  redis.call('PEXPIRE', key, ARGV[2])
end
return 1
