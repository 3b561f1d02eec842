-- Take what is overdue on one partition's agenda, and put it off by the time a doorbell may take.
--
-- KEYS  1 agenda
-- ARGV  1 bell_ms  2 how many at most  3 lease_ms  4 ahead_ms: further ahead nobody ever sets a time
-- Returns the agenda members that the caller must look at
-- Keeps   several sweepers share the work: what one has taken is not overdue for the next; what was put off by a clock that
--         has gone back since is due after a lease, within which a worker that lives has set it anew
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local overdue = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, tonumber(ARGV[2]))
for _, member in ipairs(overdue) do redis.call('ZADD', KEYS[1], 'XX', now + tonumber(ARGV[1]), member) end
local lost = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now + tonumber(ARGV[4]), '+inf', 'LIMIT', 0, tonumber(ARGV[2]))
for _, member in ipairs(lost) do redis.call('ZADD', KEYS[1], 'XX', now + tonumber(ARGV[3]), member) end
return overdue
