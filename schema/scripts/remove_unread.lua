-- Remove replies from their stream that no group of consumers has read.
--
-- KEYS  1 stream
-- ARGV  1 how many of the newest entries are looked at  2… the ids of replies
-- Returns the ids of those that were removed
-- Keeps   an entry that any group was given stays: it may have left; so does all of a stream that only readers without a group have
local wanted = {}
for at = 2, #ARGV do wanted[ARGV[at]] = true end
local read = {0, 0}
local function parts(id)
  local ms, number = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(number)
end
local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
if groups.err or #groups == 0 then return {} end
for _, group in ipairs(groups) do
  for field = 1, #group, 2 do
    if group[field] == 'last-delivered-id' then
      local ms, number = parts(group[field + 1])
      if ms > read[1] or (ms == read[1] and number > read[2]) then read = {ms, number} end
    end
  end
end
local removed = {}
for _, entry in ipairs(redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', ARGV[1])) do
  local ms, number = parts(entry[1])
  if ms < read[1] or (ms == read[1] and number <= read[2]) then break end
  for field = 1, #entry[2], 2 do
    if entry[2][field] == 'id' and wanted[entry[2][field + 1]] then
      redis.call('XDEL', KEYS[1], entry[1])
      removed[#removed + 1] = entry[2][field + 1]
    end
  end
end
return removed
