-- Remove the head that has been dealt with, and those behind it that were dealt with together with it; hand over the next
-- one, its attempt counted.
--
-- KEYS  1 mailbox  2 lease  3 attempts  4 agenda
-- ARGV  1 agenda member  2 token  3 more: 1 when the holder wants the next head  4… what has been dealt with, in order
-- Returns {'lost'} the lease is another's · {'empty'} · {'more'} entries are left, none was asked for
--         · {'head', envelope, attempts}
-- Keeps   only the holder removes, and only those very entries; deletes first, so it works when memory is full
if redis.call('HGET', KEYS[2], 'token') ~= ARGV[2] then return {'lost'} end
local head = redis.call('LINDEX', KEYS[1], 0)
for at = 4, #ARGV do
  if head == ARGV[at] then
    redis.call('LPOP', KEYS[1])
    redis.call('HDEL', KEYS[3], string.sub(head, 1, 64))
    head = redis.call('LINDEX', KEYS[1], 0)
  end
end
if not head then return {'empty'} end
if ARGV[3] ~= '1' then return {'more'} end
return {'head', head, redis.call('HINCRBY', KEYS[3], string.sub(head, 1, 64), 1)}
