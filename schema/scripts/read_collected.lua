-- Tell how far a tenant's streams are collected, by each group of consumers.
--
-- KEYS  1 epoch  2… its streams
-- ARGV  1 where a group stands that collects what was cut from a stream `<its name>:again:<group>`
-- Returns {} the streams are not known to be whole
--         · {epoch, for each stream {id of its first entry or '', for each group {name, 1 where it collects elsewhere else 0,
--           1 up to that id | 0 up to the one before it, id}}}
-- Keeps   one moment for all: nothing can be lost between the look at the epoch and the look at the groups
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local epoch, of_run = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (%x+)$')
if of_run ~= run then return {} end

local function fields_of(list)
  local fields = {}
  for at = 1, #list, 2 do fields[list[at]] = list[at + 1] end
  return fields
end

local function collected(stream, group)
  local pending = redis.call('XPENDING', stream, group['name'])
  if pending[1] > 0 then return 0, pending[2] end
  return 1, group['last-delivered-id']
end

local function groups_of(stream)
  if redis.call('EXISTS', stream) == 0 then return {} end
  return redis.call('XINFO', 'GROUPS', stream)
end

local answer = {epoch}
for stream = 2, #KEYS do
  local first = redis.call('XRANGE', KEYS[stream], '-', '+', 'COUNT', 1)
  local found = {first[1] and first[1][1] or ''}
  for _, each in ipairs(groups_of(KEYS[stream])) do
    local group = fields_of(each)
    if group['last-delivered-id'] ~= ARGV[1] then
      found[#found + 1] = {group['name'], 0, collected(KEYS[stream], group)}
    else
      local again = KEYS[stream] .. ':again:' .. group['name']  -- of the same slot
      local there = groups_of(again)
      local with_it, id = 0, ''
      if there[1] then with_it, id = collected(again, fields_of(there[1])) end
      found[#found + 1] = {group['name'], 1, with_it, id}
    end
  end
  answer[#answer + 1] = found
end
return answer
