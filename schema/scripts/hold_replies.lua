-- Let no reply of a conversation go out until its publisher has asked PostgreSQL: a person is taking the conversation over.
--
-- KEYS  1 hold  2 published
-- ARGV  1 the token of this hold  2 the ordinal up to which rows are held  3 seconds after which the hold is void
-- Returns the ordinal up to which the conversation is published, 0 where Redis knows of none
-- Keeps   whoever publishes afterwards finds the hold (publish.lua); a later hold takes the place of an earlier one
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'EX', ARGV[3])
return tonumber(redis.call('GET', KEYS[2]) or '0')
