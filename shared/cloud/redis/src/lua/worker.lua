-- Comes before each script about one worker, whose only key this is: what is lost of it is lost as a whole.
-- KEYS[1]: the worker's key. ARGV[1]: the longest lease. All times are microseconds of the server's clock.
local key, longest = KEYS[1], tonumber(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
-- Another process may have loaded an old copy of the data, or replicated only a part.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or '-'
local was = redis.call('HMGET', key, 'run', 'seen', 'grace', 'closed')
-- A clock that went back makes nothing of what is written here reliable.
local known = was[1] == run and tonumber(was[2]) <= now + 1000000
local grace, closed = tonumber(was[3] or 0), was[4]

-- Lua's own conversion keeps fourteen digits only.
local function text(n)
  return string.format('%.0f', n)
end

-- Whatever was known of this worker is void: until the grace is over, others may hold its slots.
local function begin()
  -- A server without memory refuses the first write of a script only, and not if that is a deletion.
  if was[1] then redis.call('DEL', key) end
  grace, closed, known = now + longest, false, true
  redis.call('HSET', key, 'run', run, 'grace', text(grace))
end

-- The key outlives every lease in it.
local function keep()
  redis.call('HSET', key, 'seen', text(now))
  redis.call('PEXPIRE', key, text(longest / 500 + 10000))
end

-- Who has a slot now, and until when.
local function holder(slot)
  local found = redis.call('HGET', key, slot)
  if not found then return nil end
  local till, hold = string.match(found, '^(%d+) (.*)$')
  if tonumber(till) <= now then return nil end
  return hold, tonumber(till)
end

local function grant(slot, hold, expiry)
  redis.call('HSET', key, slot, text(now + tonumber(expiry)) .. ' ' .. hold)
  keep()
end
