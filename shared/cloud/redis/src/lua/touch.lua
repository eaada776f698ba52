-- ARGV: longest, token. A token marks what is begun by this call, for `admit`. 1 when something was begun.
local begun = 0
if not known then
  begin()
  begun = 1
  if ARGV[2] ~= '' then redis.call('HSET', key, 'token', ARGV[2]) end
end
keep()
return begun
