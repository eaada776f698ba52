-- ARGV: longest, token. Ends the grace of what was begun under this token, and of nothing else.
if not known or redis.call('HGET', key, 'token') ~= ARGV[2] then return 0 end
redis.call('HDEL', key, 'token')
redis.call('HSET', key, 'grace', '0')
keep()
return 1
