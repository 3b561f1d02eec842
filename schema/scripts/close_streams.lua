-- Let nothing more into a tenant's streams, because this server may have lost something of them.
--
-- KEYS  1 epoch
-- ARGV  1 what the epoch key held when that was found, or '' when it was not there
-- Returns {1 when it still holds that, what it holds now or '', the run of this server}
-- Keeps   an absent key stays absent: it says that everything was lost
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local found = redis.call('GET', KEYS[1]) or ''
if found ~= ARGV[1] then return {0, found, run} end
if found ~= '' then
  redis.call('SET', KEYS[1], 'checking')
  found = 'checking'
end
return {1, found, run}
