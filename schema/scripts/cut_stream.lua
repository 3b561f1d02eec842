-- Cut the oldest entries from a stream, which are recorded for the groups that collect elsewhere.
--
-- KEYS  1 the stream
-- ARGV  1 the last id to go  2 the id behind it  3 where a group stands that collects elsewhere
-- Returns how many entries went; 0 when a group needs one of them in the stream itself
-- Keeps   what a group needs that reads the stream, also one that was made or came back this moment
local function is_before(one, other)
  local ms, number = string.match(one, '^(%d+)-(%d+)$')
  local other_ms, other_number = string.match(other, '^(%d+)-(%d+)$')
  if ms ~= other_ms then return tonumber(ms) < tonumber(other_ms) end
  return tonumber(number) < tonumber(other_number)
end

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
for _, each in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = {}
  for at = 1, #each, 2 do group[each[at]] = each[at + 1] end
  if group['last-delivered-id'] ~= ARGV[3] then
    local pending = redis.call('XPENDING', KEYS[1], group['name'])
    if is_before(group['last-delivered-id'], ARGV[1]) or (pending[1] > 0 and is_before(pending[2], ARGV[2])) then
      return 0
    end
  end
end
return redis.call('XTRIM', KEYS[1], 'MINID', ARGV[2])
