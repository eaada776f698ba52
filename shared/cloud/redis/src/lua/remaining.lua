-- ARGV: longest, slot, hold. Within the grace a slot that nobody asserted may be this hold's: -1 only when it is surely gone.
if not known then
  begin()
  keep()
end
local hold, till = holder(ARGV[2])
if hold == ARGV[3] then return text(till - now) end
if not hold and now < grace and not closed then return text(grace - now) end
return '-1'
