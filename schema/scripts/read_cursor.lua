-- Read what follows a reader's position in streams of one tenant; a reader's acknowledged position is that of its group.
--
-- KEYS  two per stream: the stream, and the group's own that holds what was cut
-- ARGV  1 the group  2 most entries of each stream  3 where a group stands that collects what was cut  4 id after which
--       a group made here begins: '0' for everything still there, '$' for nothing of it
--       then for each stream the id after which to read, or '' for what is acknowledged
-- Returns for each stream {the id it was read after, 1 where more may follow now | 0, entries as XRANGE gives them}
-- Keeps   one moment for all streams; nothing that is acknowledged is read again, and nothing that was cut is passed over
local function fields_of(list)
  local fields = {}
  for at = 1, #list, 2 do fields[list[at]] = list[at + 1] end
  return fields
end

local function is_before(one, other)
  local ms, number = string.match(one, '^(%d+)-?(%d*)$')
  local other_ms, other_number = string.match(other, '^(%d+)-?(%d*)$')
  if ms ~= other_ms then return tonumber(ms) < tonumber(other_ms) end
  return (tonumber(number) or 0) < (tonumber(other_number) or 0)
end

local function standing(stream)
  if redis.call('EXISTS', stream) == 0 then return nil end
  for _, each in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local group = fields_of(each)
    if group['name'] == ARGV[1] then return group['last-delivered-id'] end
  end
end

local answer = {}
for at = 1, #KEYS, 2 do
  local stream, again = KEYS[at], KEYS[at + 1]
  local wanted = ARGV[4 + (at + 1) / 2]
  local source, after = stream, standing(stream)
  if not after then
    redis.call('XGROUP', 'CREATE', stream, ARGV[1], ARGV[4], 'MKSTREAM')
    after = standing(stream)
  end
  local is_aside = after == ARGV[3]
  if is_aside then after = standing(again) or '0-0' end
  if wanted ~= '' and is_before(after, wanted) then after = wanted end
  if is_aside then
    local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
    if not first or is_before(after, first[1]) then source = again end
  end
  local found = redis.call('XRANGE', source, '(' .. after, '+', 'COUNT', ARGV[2])
  answer[#answer + 1] = {after, #found == tonumber(ARGV[2]) and 1 or 0, found}
end
return answer
