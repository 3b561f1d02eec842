-- Tell how far a tenant's streams are collected: acknowledged by every group, or, where there is none, trimmed away.
--
-- KEYS  1 life  2… its streams
-- ARGV  none
-- Returns {} the streams are not known to be whole
--         · for each stream {1, id}: collected up to that entry · {0, id}: up to the one before it · {0, ''}: nothing is known
-- Keeps   one moment for all: nothing can be lost between the look at the life and the look at the groups
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local life = redis.call('GET', KEYS[1])
if not life or string.match(life, '^%d+ (%x+)$') ~= run then return {} end

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

local answer = {}
for stream = 2, #KEYS do
  local found = {0, ''}
  if redis.call('EXISTS', KEYS[stream]) == 1 then
    local groups = redis.call('XINFO', 'GROUPS', KEYS[stream])
    for _, each in ipairs(groups) do
      local group = fields_of(each)
      local pending = redis.call('XPENDING', KEYS[stream], group['name'])
      local here = {1, group['last-delivered-id']}
      if pending[1] > 0 then here = {0, pending[2]} end
      if found[2] == '' or is_before(here[2], found[2]) or (here[2] == found[2] and here[1] == 0) then found = here end
    end
    if #groups == 0 then
      local first = redis.call('XRANGE', KEYS[stream], '-', '+', 'COUNT', 1)
      if first[1] then found = {0, first[1][1]} end
    end
  end
  answer[#answer + 1] = found
end
return answer
