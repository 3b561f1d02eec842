-- Take the lease of a conversation if it is free, and count the attempt at its head before it runs.
--
-- KEYS  1 mailbox  2 lease  3 attempts  4 agenda
-- ARGV  1 agenda member  2 token  3 lease_ms  4 ahead_ms: further ahead nobody ever sets a time
-- Returns {'busy'} somebody holds it · {'empty'} nothing to do · {'parked'} not due yet · {'head', envelope, attempts, why the
--         attempt before failed or '''}
-- Keeps   one holder per conversation; deadlines by this server's clock, and void where it has gone back since they were
--         set; a crash during the attempt has been counted
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = redis.call('HMGET', KEYS[2], 'until', 'not_before', 'cause')
local function is_to_come(deadline)
  return deadline and tonumber(deadline) > now and tonumber(deadline) <= now + tonumber(ARGV[4])
end

if is_to_come(lease[1]) then return {'busy'} end
local head = redis.call('LINDEX', KEYS[1], 0)
if not head then
  redis.call('DEL', KEYS[2], KEYS[3])
  redis.call('ZREM', KEYS[4], ARGV[1])
  return {'empty'}
end
if is_to_come(lease[2]) then return {'parked'} end
local deadline = now + tonumber(ARGV[3])
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'token', ARGV[2], 'until', deadline)
redis.call('ZADD', KEYS[4], deadline, ARGV[1])
local name = string.sub(head, 1, 64)
local cause = lease[3] or ''
if cause ~= '' and string.sub(cause, 1, #name) == name then
  redis.call('HSET', KEYS[2], 'cause', cause)
  cause = string.sub(cause, #name + 1)
else
  cause = ''
end
return {'head', head, redis.call('HINCRBY', KEYS[3], name, 1), cause}
