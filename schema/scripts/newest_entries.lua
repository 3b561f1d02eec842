-- Tell the newest id that each stream has given out, so that readers are woken only when one has changed.
--
-- KEYS  1… streams
-- ARGV  none
-- Returns for each stream its newest id, or '' where there is no such stream
-- Keeps   everything: it only looks
local answer = {}
for at, stream in ipairs(KEYS) do
  answer[at] = ''
  if redis.call('EXISTS', stream) == 1 then
    local about = redis.call('XINFO', 'STREAM', stream)
    for field = 1, #about, 2 do
      if about[field] == 'last-generated-id' then answer[at] = about[field + 1] end
    end
  end
end
return answer
