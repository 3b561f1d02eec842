-- Let a group that has collected all that was cut go on in the stream itself.
--
-- KEYS  1 the stream  2 the group's own
-- ARGV  1 the group  2 the id up to which it has collected  3 id of the stream's first entry behind that, or '', when nothing
--       more was known to be cut
-- Returns 1 it does now · 0 it has not collected all, or more was cut meanwhile
-- Keeps   the stream holds everything behind what the group has collected
local function fields_of(list)
  local fields = {}
  for at = 1, #list, 2 do fields[list[at]] = list[at + 1] end
  return fields
end

local function is_up_to(one, other)
  local ms, number = string.match(one, '^(%d+)-(%d+)$')
  local other_ms, other_number = string.match(other, '^(%d+)-(%d+)$')
  if ms ~= other_ms then return tonumber(ms) < tonumber(other_ms) end
  return tonumber(number) <= tonumber(other_number)
end

if redis.call('EXISTS', KEYS[1], KEYS[2]) < 2 then return 0 end
local group = redis.call('XINFO', 'GROUPS', KEYS[2])[1]
local newest = fields_of(redis.call('XINFO', 'STREAM', KEYS[2]))['last-generated-id']
if not group or redis.call('XPENDING', KEYS[2], ARGV[1])[1] > 0 or not is_up_to(newest, ARGV[2]) then return 0 end
local delivered = fields_of(group)['last-delivered-id']
if redis.call('XRANGE', KEYS[2], '(' .. delivered, '+', 'COUNT', 1)[1] then return 0 end
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
local holds_all = (first and is_up_to(first[1], ARGV[2]))
  or (ARGV[3] ~= '' and redis.call('XRANGE', KEYS[1], ARGV[3], ARGV[3])[1])
  or is_up_to(fields_of(redis.call('XINFO', 'STREAM', KEYS[1]))['last-generated-id'], ARGV[2])
if not holds_all then return 0 end
redis.call('XGROUP', 'SETID', KEYS[1], ARGV[1], ARGV[2])
redis.call('DEL', KEYS[2])
return 1
