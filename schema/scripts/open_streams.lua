-- Open a tenant's streams again, in their next epoch, with the groups of consumers that they had.
--
-- KEYS  1 epoch  2… its streams, and those from which groups collect what was cut
-- ARGV  1 what the epoch key was left at: 'checking', or '' when it was not there  2 the run of the server then  3 the epoch
--       then for each stream the id up to which it is known to be collected, or ''
--       then where a group stands that collects elsewhere
--       then for each group three: the number of its stream among the streams, its name, the id it stands at
-- Returns 1 open · 0 something happened meanwhile: look again
-- Keeps   ids of entries go on ascending, also when this server's clock is behind that of the one before; a group stands
--         before whatever is published from now on, so one that its consumer makes later is made already
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] or run ~= ARGV[2] then return 0 end

local function parts_of(id)
  local milliseconds, number = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(milliseconds), tonumber(number)
end

for stream = 2, #KEYS do
  local wanted = ARGV[stream + 2]
  if wanted ~= '' then
    local about = redis.pcall('XINFO', 'STREAM', KEYS[stream])
    local newest = '0-0'
    for field = 1, #about, 2 do
      if about[field] == 'last-generated-id' then newest = about[field + 1] end
    end
    local wanted_ms, wanted_number = parts_of(wanted)
    local ms, number = parts_of(newest)
    if ms < wanted_ms or (ms == wanted_ms and number < wanted_number) then
      redis.call('XDEL', KEYS[stream], redis.call('XADD', KEYS[stream], wanted, 'id', ''))
    end
  end
end
for at = #KEYS + 4, #ARGV, 3 do
  local key = KEYS[tonumber(ARGV[at]) + 1]
  local made = redis.pcall('XGROUP', 'CREATE', key, ARGV[at + 1], ARGV[at + 2], 'MKSTREAM')
  if made['err'] and not string.find(made['err'], 'BUSYGROUP') then return made end
  if made['err'] and ARGV[at + 2] == ARGV[#KEYS + 3] then redis.call('XGROUP', 'SETID', key, ARGV[at + 1], ARGV[at + 2]) end
end
redis.call('SET', KEYS[1], ARGV[3] .. ' ' .. run)
return 1
