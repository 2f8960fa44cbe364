-- Counts all hits, or none when one does not fit.
-- KEYS: the counters. ARGV, three for each: hits, limit, window in milliseconds.
-- Returns two numbers for each, as they were before: what was used, and the milliseconds left of the window (negative: none).
local found, more, windows, fits = {}, {}, {}, true
for i, key in ipairs(KEYS) do
  local hits, limit = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1])
  local used, left = tonumber(redis.call('get', key) or 0), redis.call('pttl', key)
  local before = more[key] or 0
  if hits > 0 and used + before + hits > limit then
    fits = false
  else
    more[key] = before + hits
  end
  if left < 0 then
    windows[key] = ARGV[3 * i]
  end
  found[2 * i - 1], found[2 * i] = used, left
end
if fits then
  for key, hits in pairs(more) do
    if hits > 0 then
      redis.call('incrby', key, hits)
      if windows[key] then
        redis.call('pexpire', key, windows[key])
      end
    end
  end
end
return found
