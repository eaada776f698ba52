-- ARGV: longest, slot, hold, expiry, and '1' where the caller has a lease that was granted to it and still lasts.
local believed = ARGV[5] == '1'
if not known then
  if not believed then return 0 end
  begin()
end
local hold = holder(ARGV[2])
local asserted = not hold and believed and now < grace and not closed
if hold ~= ARGV[3] and not asserted then return 0 end
grant(ARGV[2], ARGV[3], ARGV[4])
return 1
