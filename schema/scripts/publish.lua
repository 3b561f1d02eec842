-- Add a conversation's outbox rows to their streams, each once and in order.
--
-- KEYS  1 published  2… one stream per row
-- ARGV  1 floor: the ordinal that PostgreSQL knows to be published  2 published_seconds
--       then five per row: ordinal, id, conversation, sequence, body
-- Returns the ordinal up to which the conversation is published now
-- Keeps   a row is added only when its ordinal follows the last one: a repeat is a no-op, a gap waits for its row
local last = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[1]))
local before = last
for row = 2, #KEYS do
  local at = 3 + (row - 2) * 5
  if tonumber(ARGV[at]) == last + 1 then
    redis.call('XADD', KEYS[row], '*', 'id', ARGV[at + 1], 'conversation', ARGV[at + 2], 'sequence', ARGV[at + 3],
      'body', ARGV[at + 4])
    last = last + 1
  end
end
if last > before then redis.call('SET', KEYS[1], last, 'EX', ARGV[2]) end
return last
