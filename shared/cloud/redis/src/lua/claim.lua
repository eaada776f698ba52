-- ARGV: longest, slot, hold, expiry. A worker of which nothing is known has to be announced first.
if not known or now < grace or holder(ARGV[2]) then return 0 end
grant(ARGV[2], ARGV[3], ARGV[4])
return 1
