-- Give the lease back until later: the head stays at its place, so order holds.
--
-- KEYS  1 mailbox  2 lease  3 attempts  4 agenda
-- ARGV  1 agenda member  2 token  3 backoff_ms  4 name (first 64 bytes) of a head whose attempt does not count, or ''
--       5 name of the head, followed by why its attempt failed, or ''
-- Returns 1 parked · 0 the lease is another's
-- Keeps   nobody takes it before its time; the agenda looks again then
if redis.call('HGET', KEYS[2], 'token') ~= ARGV[2] then return 0 end
local time = redis.call('TIME')
local due = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[3])
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'not_before', due)
redis.call('ZADD', KEYS[4], due, ARGV[1])
if ARGV[4] ~= '' and redis.call('HEXISTS', KEYS[3], ARGV[4]) == 1 then redis.call('HINCRBY', KEYS[3], ARGV[4], -1) end
if ARGV[5] and ARGV[5] ~= '' then redis.call('HSET', KEYS[2], 'cause', ARGV[5]) end
return 1
