-- ARGV: longest, slot, hold.
if not known or holder(ARGV[2]) ~= ARGV[3] then return 0 end
redis.call('HDEL', key, ARGV[2])
keep()
return 1
