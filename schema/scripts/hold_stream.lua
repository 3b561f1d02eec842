-- Hold, or keep holding, one of the open streams that a key and its tenant may have at once.
--
-- KEYS  1… one per limit (sorted set: id of an open stream → ms of Redis TIME until which it is held)
-- ARGV  1 the stream's id  2 ms to hold it for  3… for each limit how many may be open
-- Returns {1 held | 0, the number of the limit that is reached}
-- Keeps   what a process that died held is free again after ARGV 2
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for at = 1, #KEYS do
  redis.call('ZREMRANGEBYSCORE', KEYS[at], '-inf', now)
  if not redis.call('ZSCORE', KEYS[at], ARGV[1]) and redis.call('ZCARD', KEYS[at]) >= tonumber(ARGV[at + 2]) then
    return {0, at}
  end
end
for at = 1, #KEYS do
  redis.call('ZADD', KEYS[at], now + ARGV[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[at], ARGV[2])
end
return {1, 0}
