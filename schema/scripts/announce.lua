-- Announce a worker: that it is there, what it is doing; and hear what operators have ordered of it.
--
-- KEYS  1 workers (sorted set: name → ms of Redis TIME when it last announced itself)  2 what the worker says of itself
--       3 what is ordered of it
-- ARGV  1 name  2 what it says of itself, as JSON  3 ms after which a silent worker is forgotten
-- Returns the order, or ''
-- Keeps   a worker that falls silent is forgotten, and with it what was ordered of it
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[3]))
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
redis.call('PEXPIRE', KEYS[3], ARGV[3])
return redis.call('GET', KEYS[3]) or ''
