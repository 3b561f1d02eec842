-- Let one group collect what is cut from a stream from a stream of its own.
--
-- KEYS  1 the stream  2 the group's own
-- ARGV  1 the group  2 the id up to which it has collected  3 where it stands meanwhile: behind all that ever comes
-- Returns 1 it does now · 0 it did already, or there is no such group
-- Keeps   what it holds unacknowledged comes to it again; it is handed nothing newer before
local groups = redis.call('EXISTS', KEYS[1]) == 1 and redis.call('XINFO', 'GROUPS', KEYS[1]) or {}
for _, group in ipairs(groups) do
  local fields = {}
  for at = 1, #group, 2 do fields[group[at]] = group[at + 1] end
  if fields['name'] == ARGV[1] and fields['last-delivered-id'] ~= ARGV[3] then
    redis.call('DEL', KEYS[2])
    redis.call('XGROUP', 'CREATE', KEYS[2], ARGV[1], ARGV[2], 'MKSTREAM')
    redis.call('XGROUP', 'DESTROY', KEYS[1], ARGV[1])
    redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], ARGV[3])
    return 1
  end
end
return 0
