-- Tell what a group's own stream holds, and forget what the group has collected of it.
--
-- KEYS  1 the stream  2 the group's own
-- ARGV  1 the group
-- Returns {} there is no such stream · {entries left, the id that the next one follows, id of the stream's first entry behind
--         that, or ''}
-- Keeps   nothing that is not acknowledged
local function fields_of(list)
  local fields = {}
  for at = 1, #list, 2 do fields[list[at]] = list[at + 1] end
  return fields
end

local function is_before(one, other)
  local ms, number = string.match(one, '^(%d+)-(%d+)$')
  local other_ms, other_number = string.match(other, '^(%d+)-(%d+)$')
  if ms ~= other_ms then return tonumber(ms) < tonumber(other_ms) end
  return tonumber(number) < tonumber(other_number)
end

if redis.call('EXISTS', KEYS[2]) == 0 then return {} end
local groups = redis.call('XINFO', 'GROUPS', KEYS[2])
if not groups[1] then return {} end
local after = fields_of(groups[1])['last-delivered-id']
local pending = redis.call('XPENDING', KEYS[2], ARGV[1])
redis.call('XTRIM', KEYS[2], 'MINID', pending[1] > 0 and pending[2] or after)
if pending[1] == 0 then redis.call('XDEL', KEYS[2], after) end
local newest = fields_of(redis.call('XINFO', 'STREAM', KEYS[2]))['last-generated-id']
if is_before(after, newest) then after = newest end
local behind = redis.call('XRANGE', KEYS[1], '(' .. after, '+', 'COUNT', 1)
return {redis.call('XLEN', KEYS[2]), after, behind[1] and behind[1][1] or ''}
