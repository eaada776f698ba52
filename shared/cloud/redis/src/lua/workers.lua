-- KEYS: as for announce. What those said last who are there.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
while true do
  local silent = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 500)
  if #silent == 0 then break end
  redis.call('ZREM', KEYS[1], unpack(silent))
  redis.call('HDEL', KEYS[2], unpack(silent))
end
return redis.call('HVALS', KEYS[2])
