-- Read what follows a reader's position in streams of one tenant; a reader's acknowledged position is that of its group.
--
-- KEYS  three per stream: the stream, the group's own that holds what was cut, and when each cursor last read the stream
--       (sorted set: group → ms of Redis TIME, to the hour)
-- ARGV  1 the group  2 most entries of each stream  3 where a group stands that collects what was cut  4 id after which
--       a group made here begins: '0' for everything still there, '$' for nothing of it  5 how cursors' groups begin
--       6 most cursors of a stream  7 ms after which a cursor that nobody reads is removed
--       then for each stream the id after which to read, or '' for what is acknowledged
-- Returns for each stream {the id it was read after, 1 where more may follow now | 0, entries as XRANGE gives them};
--         nothing where a cursor would have to be made, and there is no room for it
-- Keeps   one moment for all streams; nothing that is acknowledged is read again, and nothing that was cut is passed over
local HOUR_MS = 3600000
local PURGED_MAX = 10

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

local function groups_of(stream)
  local groups = {}
  if redis.call('EXISTS', stream) == 1 then
    for _, each in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
      local group = fields_of(each)
      groups[group['name']] = group['last-delivered-id']
    end
  end
  return groups
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Note that this cursor is read, and remove those that nobody has read for too long: a worker forgets what it noted of them.
local function tend(stream, index, groups)
  local used = redis.call('ZSCORE', index, ARGV[1])
  if not used or tonumber(used) < now - HOUR_MS then redis.call('ZADD', index, now, ARGV[1]) end
  for _, idle in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', now - ARGV[7], 'LIMIT', 0, PURGED_MAX)) do
    if groups[idle] then redis.call('XGROUP', 'DESTROY', stream, idle) end
    redis.call('ZREM', index, idle)
    groups[idle] = nil
  end
end

-- Count the cursors of a stream; one that Redis lost, and a worker made anew, counts as read just now.
local function cursors_in(index, groups)
  local count = 0
  for group in pairs(groups) do
    if string.sub(group, 1, #ARGV[5]) == ARGV[5] then
      count = count + 1
      redis.call('ZADD', index, 'NX', now, group)
    end
  end
  return count
end

local groups = {}
for at = 1, #KEYS, 3 do
  local stream, index = KEYS[at], KEYS[at + 2]
  groups[stream] = groups_of(stream)
  tend(stream, index, groups[stream])
  if not groups[stream][ARGV[1]] and cursors_in(index, groups[stream]) >= tonumber(ARGV[6]) then
    redis.call('ZREM', index, ARGV[1])
    return {}
  end
end

local answer = {}
for at = 1, #KEYS, 3 do
  local stream, again = KEYS[at], KEYS[at + 1]
  local wanted = ARGV[7 + (at + 2) / 3]
  local source, after = stream, groups[stream][ARGV[1]]
  if not after then
    redis.call('XGROUP', 'CREATE', stream, ARGV[1], ARGV[4], 'MKSTREAM')
    after = groups_of(stream)[ARGV[1]]
  end
  local is_aside = after == ARGV[3]
  if is_aside then after = groups_of(again)[ARGV[1]] or '0-0' end
  if wanted ~= '' and is_before(after, wanted) then after = wanted end
  if is_aside then
    local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
    if not first or is_before(after, first[1]) then source = again end
  end
  local found = redis.call('XRANGE', source, '(' .. after, '+', 'COUNT', ARGV[2])
  answer[#answer + 1] = {after, #found == tonumber(ARGV[2]) and 1 or 0, found}
end
return answer
