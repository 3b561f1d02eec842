-- Delete some conversations' entries from a page of a stream.
--
-- KEYS  1 the stream
-- ARGV  1 a conversation  2 the first id of the page  3 entries of a page  4… more conversations
-- Returns {how many entries went, the first id of the next page, or '' at the end}
-- Keeps   the order, the groups and the places of all others
local wanted = {[ARGV[1]] = true}
for at = 4, #ARGV do wanted[ARGV[at]] = true end
local page = redis.call('XRANGE', KEYS[1], ARGV[2], '+', 'COUNT', ARGV[3])
local gone = 0
for _, entry in ipairs(page) do
  local fields = entry[2]
  for at = 1, #fields, 2 do
    if fields[at] == 'conversation' and wanted[fields[at + 1]] then
      gone = gone + redis.call('XDEL', KEYS[1], entry[1])
    end
  end
end
if #page < tonumber(ARGV[3]) then return {gone, ''} end
return {gone, '(' .. page[#page][1]}
