-- Give the lease back: an empty mailbox leaves the agenda, another is due at once.
--
-- KEYS  1 mailbox  2 lease  3 attempts  4 agenda
-- ARGV  1 agenda member  2 token  3 bell_ms  4 name (first 64 bytes) of a head given back untried, or ''
-- Returns 1 the caller must ring the doorbell · 0 nothing is left · -1 the lease is another's
-- Keeps   no lost wake-up: the look into the mailbox and leaving the agenda are one step; a stop costs no attempt
if redis.call('HGET', KEYS[2], 'token') ~= ARGV[2] then return -1 end
redis.call('DEL', KEYS[2])
if redis.call('LLEN', KEYS[1]) == 0 then
  redis.call('DEL', KEYS[3])
  redis.call('ZREM', KEYS[4], ARGV[1])
  return 0
end
if ARGV[4] ~= '' and redis.call('HEXISTS', KEYS[3], ARGV[4]) == 1 then redis.call('HINCRBY', KEYS[3], ARGV[4], -1) end
local time = redis.call('TIME')
redis.call('ZADD', KEYS[4], time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[3]), ARGV[1])
return 1
