-- Take allowance for one request from several limits at once: from all of them or from none (GCRA: each key holds the time
-- at which its allowance is whole again, the theoretical arrival time).
--
-- KEYS  1… one per limit (string: that time, in microseconds of Redis TIME)
-- ARGV  three per limit: how many in a window  2 the window in ms  3 how many this request takes
-- Returns {1 taken | 0, ms after which to ask again, for each limit {how many are left, ms until it is whole}}
-- Keeps   no more than the quota in a burst, and no more than the quota a window on average; more than a quota never passes
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local taken, wait = 1, 0
local arrivals = {}
for at = 1, #KEYS do
  local quota, window, cost = tonumber(ARGV[at * 3 - 2]), tonumber(ARGV[at * 3 - 1]) * 1000, tonumber(ARGV[at * 3])
  local stored = tonumber(redis.call('GET', KEYS[at]) or now)
  local arrival = math.max(now, math.min(stored, now + window)) + cost * window / quota
  arrivals[at] = arrival
  if cost > 0 and arrival - window > now then
    taken = 0
    wait = math.max(wait, math.ceil((arrival - window - now) / 1000))
  end
end
local limits = {}
for at = 1, #KEYS do
  local quota, window, cost = tonumber(ARGV[at * 3 - 2]), tonumber(ARGV[at * 3 - 1]) * 1000, tonumber(ARGV[at * 3])
  local arrival = arrivals[at]
  if taken == 0 then arrival = arrival - cost * window / quota end
  if taken == 1 and cost > 0 then
    redis.call('SET', KEYS[at], string.format('%.0f', arrival), 'PX', math.ceil((arrival - now) / 1000) + 1)
  end
  limits[at] = {math.floor((now + window - arrival) * quota / window + 0.000001), math.ceil((arrival - now) / 1000)}
end
return {taken, wait, limits}
