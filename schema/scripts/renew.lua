-- Prolong one lease; a worker's heartbeat runs this for all its leases in one pipeline.
--
-- KEYS  1 mailbox  2 lease  3 attempts  4 agenda
-- ARGV  1 agenda member  2 token  3 lease_ms
-- Returns 1 renewed · 0 the lease is another's, or gone
-- Keeps   only the holder prolongs; the agenda looks again when the lease would end
if redis.call('HGET', KEYS[2], 'token') ~= ARGV[2] then return 0 end
local time = redis.call('TIME')
local deadline = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[3])
redis.call('HSET', KEYS[2], 'until', deadline)
redis.call('ZADD', KEYS[4], deadline, ARGV[1])
return 1
