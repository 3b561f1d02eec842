-- Acknowledge for a reader everything up to an id in each of some streams of one tenant.
--
-- KEYS  two per stream: the stream, and the group's own that holds what was cut
-- ARGV  1 the group  2 where a group stands that collects what was cut  3… for each stream the id, or '' to leave it
-- Returns for each stream the id up to which it is acknowledged now, '' where there is no such group
-- Keeps   a position never goes back, and never beyond what the stream has held
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

local function standing(stream)
  if redis.call('EXISTS', stream) == 0 then return nil end
  for _, each in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local group = fields_of(each)
    if group['name'] == ARGV[1] then return group['last-delivered-id'] end
  end
end

local answer = {}
for at = 1, #KEYS, 2 do
  local source, wanted = KEYS[at], ARGV[2 + (at + 1) / 2]
  local position = standing(source)
  if position then
    local newest = fields_of(redis.call('XINFO', 'STREAM', source))['last-generated-id']
    if position == ARGV[2] then
      source = KEYS[at + 1]
      position = standing(source)
    end
    if is_before(newest, wanted ~= '' and wanted or '0-0') then wanted = newest end
    if position and wanted ~= '' and is_before(position, wanted) then
      redis.call('XGROUP', 'SETID', source, ARGV[1], wanted)
      position = wanted
    end
  end
  answer[#answer + 1] = position or ''
end
return answer
