-- Add what was cut from a stream to a group's own, under the ids it had.
--
-- KEYS  1 the group's own stream
-- ARGV  1 the group  2 the id that the first entry follows
--       then five per entry: its id, and what it holds: id, conversation, sequence, body; a body '' stands for nothing
-- Returns how many were added: 0 when somebody else has added meanwhile, or Redis lost the stream
-- Keeps   no entry is left out, and none stands twice
local function fields_of(list)
  local fields = {}
  for at = 1, #list, 2 do fields[list[at]] = list[at + 1] end
  return fields
end

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local groups = redis.call('XINFO', 'GROUPS', KEYS[1])
local newest = fields_of(redis.call('XINFO', 'STREAM', KEYS[1]))['last-generated-id']
if not groups[1] or (newest ~= ARGV[2] and fields_of(groups[1])['last-delivered-id'] ~= ARGV[2]) then return 0 end
local added = 0
for at = 3, #ARGV, 5 do
  local id = redis.pcall('XADD', KEYS[1], ARGV[at], 'id', ARGV[at + 1], 'conversation', ARGV[at + 2],
    'sequence', ARGV[at + 3], 'body', ARGV[at + 4])
  if type(id) == 'table' then return added end
  if ARGV[at + 4] == '' then redis.call('XDEL', KEYS[1], id) else added = added + 1 end
end
return added
