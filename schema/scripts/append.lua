-- Put one envelope into a conversation's mailbox, once, at its place by position.
--
-- KEYS  1 mailbox  2 lease  3 attempts  4 agenda
-- ARGV  1 agenda member  2 envelope  3 its position  4 bell_ms: how long a doorbell may take
-- Returns {outcome, ring}: outcome 1 appended, 0 was there; ring 1 when the caller must ring the doorbell
-- Keeps   a mailbox with entries is on the agenda; entries ascend by position; no position stands twice
local function position_of(entry)
  local ok, envelope = pcall(cjson.decode, entry)
  return ok and type(envelope) == 'table' and tonumber(envelope.position) or nil
end

-- The index of the first entry at or behind a position, and that entry's position: halved, since decoding every entry of
-- a long mailbox would hold the whole server up. An entry that cannot be read is passed over.
local function find(position)
  local low, high, found, there = 0, redis.call('LLEN', KEYS[1]) - 1, nil, nil
  while low <= high do
    local middle = math.floor((low + high) / 2)
    local readable, at = middle, nil
    while readable <= high and not at do
      at = position_of(redis.call('LINDEX', KEYS[1], readable))
      if not at then readable = readable + 1 end
    end
    if at and at < position then
      low = readable + 1
    else
      if at then found, there = readable, at end
      high = middle - 1
    end
  end
  return found, there
end

local position = tonumber(ARGV[3])
local outcome = 1
local tail = redis.call('LINDEX', KEYS[1], -1)
local last = tail and position_of(tail)
if not tail or (last and last < position) then
  redis.call('RPUSH', KEYS[1], ARGV[2])
else
  -- Two senders raced, rescue puts back what Redis lost, or the last entry cannot be read.
  local index, there = find(position)
  if there == position then
    outcome = 0
  elseif not index then
    redis.call('RPUSH', KEYS[1], ARGV[2])
  else
    redis.call('LINSERT', KEYS[1], 'BEFORE', redis.call('LINDEX', KEYS[1], index), ARGV[2])
  end
end
local ring = 0
if not redis.call('ZSCORE', KEYS[4], ARGV[1]) then
  local time = redis.call('TIME')
  redis.call('ZADD', KEYS[4], time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[4]), ARGV[1])
  ring = 1
end
return {outcome, ring}
