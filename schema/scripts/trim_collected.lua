-- Cut from a stream what every group has collected, and leave its newest entries to whoever reads without a group.
--
-- KEYS  1 the stream
-- ARGV  1 entries left in any case  2 entries left where no group is known  3 where a group stands that collects elsewhere
-- Returns {how many entries went, how many are left, 1 when some group collects elsewhere: then nothing goes}
-- Keeps   what a group needs
local length = redis.call('XLEN', KEYS[1])
if length <= tonumber(ARGV[1]) then return {0, length, 0} end
local groups = redis.call('XINFO', 'GROUPS', KEYS[1])
if #groups == 0 then
  local gone = redis.call('XTRIM', KEYS[1], 'MAXLEN', ARGV[2])
  return {gone, length - gone, 0}
end

local function is_before(one, other)
  local ms, number = string.match(one, '^(%d+)-(%d+)$')
  local other_ms, other_number = string.match(other, '^(%d+)-(%d+)$')
  if ms ~= other_ms then return tonumber(ms) < tonumber(other_ms) end
  return tonumber(number) < tonumber(other_number)
end

local tail = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', tonumber(ARGV[1]))
local from = tail[#tail][1]
for _, each in ipairs(groups) do
  local group = {}
  for at = 1, #each, 2 do group[each[at]] = each[at + 1] end
  local needed = group['last-delivered-id']
  if needed == ARGV[3] then return {0, length, 1} end
  local pending = redis.call('XPENDING', KEYS[1], group['name'])
  if pending[1] > 0 then needed = pending[2] end
  if is_before(needed, from) then from = needed end
end
local gone = redis.call('XTRIM', KEYS[1], 'MINID', from)
return {gone, length - gone, 0}
