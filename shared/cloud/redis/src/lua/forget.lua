-- ARGV: longest. Drops all holds; in a grace no lease is asserted here any more.
if not known then begin() end
redis.call('DEL', key)
redis.call('HSET', key, 'run', run, 'grace', text(grace), 'closed', '1')
keep()
return 1
