-- Take room for one request under a provider's limits a minute, now or soon: shared by all processes.
--
-- KEYS  1 rate (hash: `requests`, `tokens`: what is left, below zero where promised ahead; `at`: ms of the last look)
-- ARGV  1 requests a minute, 0: no limit  2 tokens a minute, 0: no limit  3 tokens of this request  4 tokens by which
--       earlier requests took more than they said (less: below zero)  5 longest wait in ms
-- Returns {1, ms to wait before the request} · {0, ms after which to ask again}: nothing is taken
-- Keeps   room comes back evenly, and at most ten seconds' worth is saved up; who is told to wait has its room reserved,
--         so that nobody overtakes it; a request that is larger than all that can be saved up passes when it is full
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local wait_max = tonumber(ARGV[5])
local known = redis.call('HMGET', KEYS[1], 'requests', 'tokens', 'at')
local elapsed = math.max(0, now - (tonumber(known[3]) or now))

local function refill(left, per_minute)
    local full = math.max(1, per_minute / 6)
    return math.min(full, (tonumber(left) or full) + elapsed * per_minute / 60000), full
end

local function wait_for(left, full, cost, per_minute)
    return math.max(0, math.ceil((math.min(cost, full) - left) * 60000 / per_minute))
end

local requests_a_minute, tokens_a_minute = tonumber(ARGV[1]), tonumber(ARGV[2])
local requests, tokens, full = 0, 0, 0
local wait = 0
if requests_a_minute > 0 then
    requests, full = refill(known[1], requests_a_minute)
    wait = math.max(wait, wait_for(requests, full, 1, requests_a_minute))
end
if tokens_a_minute > 0 then
    tokens, full = refill(known[2], tokens_a_minute)
    tokens = math.min(full, tokens - tonumber(ARGV[4]))
    wait = math.max(wait, wait_for(tokens, full, tonumber(ARGV[3]), tokens_a_minute))
end
local taken = wait <= wait_max and 1 or 0
redis.call('HSET', KEYS[1], 'at', now,
    'requests', string.format('%.6f', requests - taken), 'tokens', string.format('%.3f', tokens - taken * tonumber(ARGV[3])))
redis.call('PEXPIRE', KEYS[1], 600000)
return {taken, wait}
