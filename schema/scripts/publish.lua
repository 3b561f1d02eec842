-- Add a conversation's outbox rows to their streams, each once and in order.
--
-- KEYS  1 published  2 epoch  3… one stream per row  last: hold
-- ARGV  1 the epoch of the tenant's streams in which the rows were read  2 floor: the ordinal known to be published
--       before them  3 published_seconds
--       then six per row: ordinal, the ordinal it must follow, id, conversation, sequence, body
--       last: the token of a hold that the rows were read after, or ''
-- Returns {} nothing was published: Redis may have lost something since the rows were read
--         · {-1, token} nothing was published: a takeover holds rows back (hold_replies.lua), ask PostgreSQL which
--         · {the ordinal up to which the conversation is published now, for each row its entry's id, or '' where it waits}
-- Keeps   a row is added once: a repeat is a no-op, answered with the end of its stream, behind which it cannot stand;
--         a row waits for the one it follows; nothing goes into streams that are not known to be whole
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if redis.call('GET', KEYS[2]) ~= ARGV[1] .. ' ' .. run then return {} end
local last = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[2]))
local hold = redis.call('GET', KEYS[#KEYS])
if hold then
  local token, upto = string.match(hold, '^(%S+) (%d+)$')
  if token == ARGV[#ARGV] then
    redis.call('DEL', KEYS[#KEYS])
  else
    for row = 3, #KEYS - 1 do
      local ordinal = tonumber(ARGV[4 + (row - 3) * 6])
      if ordinal > last and ordinal <= tonumber(upto) then return {-1, token} end
    end
  end
end
local before = last
local answer = {0}
for row = 3, #KEYS - 1 do
  local at = 4 + (row - 3) * 6
  local ordinal = tonumber(ARGV[at])
  if ordinal <= last then
    local about = redis.pcall('XINFO', 'STREAM', KEYS[row])
    local newest = '0-0'
    for field = 1, #about, 2 do
      if about[field] == 'last-generated-id' then newest = about[field + 1] end
    end
    answer[#answer + 1] = newest
  elseif last >= tonumber(ARGV[at + 1]) then
    answer[#answer + 1] = redis.call('XADD', KEYS[row], '*', 'id', ARGV[at + 2], 'conversation', ARGV[at + 3],
      'sequence', ARGV[at + 4], 'body', ARGV[at + 5])
    last = ordinal
  else
    answer[#answer + 1] = ''
  end
end
if last > before then redis.call('SET', KEYS[1], last, 'EX', ARGV[3]) end
answer[1] = last
return answer
