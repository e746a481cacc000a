-- Gives back what a request holds. KEYS: a counter each.
-- ARGV: the lease's id, the second it was counted in, the tokens used, then kind and amount of each claim.
local WINDOW_SECONDS = 60
local now = tonumber(redis.call('TIME')[1])
for at, key in ipairs(KEYS) do
  local kind = ARGV[2 + 2 * at]
  if kind == 'concurrent' then
    redis.call('ZREM', key, ARGV[1])
  elseif kind == 'tokens' then
    local by = tonumber(ARGV[3]) - tonumber(ARGV[3 + 2 * at])
    -- Too much goes back to where it was taken; too little counts from now.
    if by < 0 and redis.call('HEXISTS', key, ARGV[2]) == 1 then
      redis.call('HINCRBY', key, ARGV[2], by)
    elseif by > 0 then
      redis.call('HINCRBY', key, now, by)
      redis.call('EXPIRE', key, WINDOW_SECONDS + 2)
    end
  end
end
return 1
