-- Remove the head that has been dealt with, and hand over the next one, its attempt counted.
--
-- KEYS  1 mailbox  2 lease  3 attempts  4 agenda
-- ARGV  1 agenda member  2 token  3 the head  4 more: 1 when the holder wants the next head
-- Returns {'lost'} the lease is another's · {'empty'} · {'more'} entries are left, none was asked for
--         · {'head', envelope, attempts}
-- Keeps   only the holder removes, and only that very entry; deletes first, so it works when memory is full
if redis.call('HGET', KEYS[2], 'token') ~= ARGV[2] then return {'lost'} end
local head = redis.call('LINDEX', KEYS[1], 0)
if head == ARGV[3] then
  redis.call('LPOP', KEYS[1])
  redis.call('HDEL', KEYS[3], string.sub(head, 1, 64))
  head = redis.call('LINDEX', KEYS[1], 0)
end
if not head then return {'empty'} end
if ARGV[4] ~= '1' then return {'more'} end
return {'head', head, redis.call('HINCRBY', KEYS[3], string.sub(head, 1, 64), 1)}
