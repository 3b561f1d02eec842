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

local position = tonumber(ARGV[3])
local outcome = 1
local tail = redis.call('LINDEX', KEYS[1], -1)
local last = tail and position_of(tail)
if not last or last < position then
  redis.call('RPUSH', KEYS[1], ARGV[2])
else
  -- Two senders raced, or rescue puts back what Redis lost: find the place. An entry that cannot be read is passed over.
  local successor = nil
  for _, entry in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
    local there = position_of(entry)
    if there == position then outcome = 0 end
    if there and there > position and not successor then successor = entry end
  end
  if outcome == 1 and successor then redis.call('LINSERT', KEYS[1], 'BEFORE', successor, ARGV[2]) end
  if outcome == 1 and not successor then redis.call('RPUSH', KEYS[1], ARGV[2]) end
end
local ring = 0
if not redis.call('ZSCORE', KEYS[4], ARGV[1]) then
  local time = redis.call('TIME')
  redis.call('ZADD', KEYS[4], time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[4]), ARGV[1])
  ring = 1
end
return {outcome, ring}
