-- Keep a claim for longer, or give it back, if it is still the caller's.
--
-- KEYS  1 claim
-- ARGV  1 token  2 ms from now for which it is kept; 0 gives it back
-- Returns 1 when it was the caller's
-- Keeps   whoever was slow does not touch the claim that another has taken since
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
