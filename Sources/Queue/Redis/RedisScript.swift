/// The scripts that run inside Redis; each takes everything as arguments.
enum RedisScript: CaseIterable {
    case push, pop, rebuilt, tail, settle

    var source: String {
        switch self {
        case .push: Self.pushSource
        case .pop: Self.popSource
        case .rebuilt: Self.rebuiltSource
        case .tail: Self.tailSource
        case .settle: Self.settleSource
        }
    }

    /// Puts one job into its team's ready set, and the team behind all others of the class unless it stands there.
    ///
    /// The score is priority * 2^40 + milliseconds since 2020, below 2^53, so that a double holds it exactly.
    private static let addFunction = """
        local function add(class, team, job, priority, at)
          local offset = math.min(math.max(at - 1577836800000, 0), 1099511627775)
          local score = string.format('%.0f', priority * 1099511627776 + offset)
          redis.call('ZADD', 'q:' .. class .. ':ready:' .. team, score, job)
          local ring = 'q:' .. class .. ':ring'
          if not redis.call('ZSCORE', ring, team) then
            redis.call('ZADD', ring, redis.call('INCR', 'q:turn'), team)
          end
        end

        """

    /// Arguments: now, then class, team, job, priority, due time for each hint.
    private static let pushSource =
        addFunction + """
            local now, isDue = tonumber(ARGV[1]), false
            for i = 2, #ARGV, 5 do
              local at = tonumber(ARGV[i + 4])
              if at > now then
                redis.call('ZADD', 'q:' .. ARGV[i] .. ':delayed', ARGV[i + 4], ARGV[i + 2] .. ARGV[i + 1] .. ARGV[i + 3])
              else
                add(ARGV[i], ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3]), at)
                isDue = true
              end
            end
            if isDue then redis.call('PUBLISH', 'wake', '') end
            return redis.status_reply('OK')
            """

    /// Arguments now, limit and classes; answers nil when the queue is not whole, else job ids, all in their turn.
    private static let popSource =
        addFunction + """
            if redis.call('EXISTS', 'q:epoch') == 0 then return false end
            local now, limit, classes = ARGV[1], tonumber(ARGV[2]), #ARGV - 2
            for c = 3, #ARGV do
              local delayed = 'q:' .. ARGV[c] .. ':delayed'
              local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', now, 'WITHSCORES', 'LIMIT', 0, 100)
              for i = 1, #due, 2 do
                local member = due[i]
                redis.call('ZREM', delayed, member)
                add(ARGV[c], member:sub(17, 32), member:sub(1, 16), tonumber(member:sub(33)), tonumber(due[i + 1]))
              end
            end
            local taken, idle, class = {}, 0, redis.call('INCR', 'q:turn') % classes
            while #taken < limit and idle < classes do
              local ring = 'q:' .. ARGV[3 + class] .. ':ring'
              local team = redis.call('ZPOPMIN', ring)[1]
              idle = idle + 1
              if team then
                idle = 0
                local ready = 'q:' .. ARGV[3 + class] .. ':ready:' .. team
                local job = redis.call('ZPOPMIN', ready)[1]
                if job then taken[#taken + 1] = job end
                if redis.call('EXISTS', ready) == 1 then
                  redis.call('ZADD', ring, redis.call('INCR', 'q:turn'), team)
                end
              end
              class = (class + 1) % classes
            end
            return taken
            """

    /// Takes the token of the rebuild; answers 1 when Redis lost nothing since it began.
    private static let rebuiltSource = """
        if redis.call('GET', 'q:rebuilding') ~= ARGV[1] then return 0 end
        redis.call('SET', 'q:epoch', ARGV[1])
        redis.call('DEL', 'q:rebuilding')
        return 1
        """

    /// Arguments: stream key, first seq to keep, last seq of the message, message, seconds to live, channel.
    ///
    /// The stream refuses an id that is not above its last: a repeat stays out. Its viewers are told all the same.
    private static let tailSource = """
        redis.pcall('XADD', ARGV[1], 'MINID', '~', ARGV[2], ARGV[3] .. '-1', 'f', ARGV[4])
        redis.call('EXPIRE', ARGV[1], ARGV[5])
        redis.call('PUBLISH', ARGV[6], ARGV[4])
        return redis.status_reply('OK')
        """

    /// Settles calls on buckets (GCRA); one that is refused moves nothing, and a clock set back costs one bucket at most.
    ///
    /// Arguments of each call: how many charges, 1 when they are owed already, and of each charge key, interval in
    /// microseconds, burst and cost. Answers 1 or 0 for each call and behind it the microseconds until each of its
    /// buckets is full.
    private static let settleSource = """
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
        local answer, at = {}, 1
        while at <= #ARGV do
          local last, fits, debts = at + 4 * tonumber(ARGV[at]), true, {}
          for p = at + 2, last, 4 do
            local interval = tonumber(ARGV[p + 1])
            local capacity = interval * tonumber(ARGV[p + 2])
            local debt = math.min(math.max((tonumber(redis.call('GET', ARGV[p])) or now) - now, 0), capacity)
            fits = fits and debt + interval * tonumber(ARGV[p + 3]) <= capacity
            debts[#debts + 1] = debt
          end
          fits = fits or ARGV[at + 1] == '1'
          answer[#answer + 1] = fits and 1 or 0
          for c = 1, #debts do
            local p, debt = at + 4 * c - 2, debts[c]
            if fits then
              debt = math.max(debt + tonumber(ARGV[p + 1]) * tonumber(ARGV[p + 3]), 0)
              if debt > 0 then
                redis.call('SET', ARGV[p], string.format('%.0f', now + debt), 'PX', math.ceil(debt / 1000))
              else
                redis.call('DEL', ARGV[p])
              end
            end
            answer[#answer + 1] = debt
          end
          at = last + 2
        end
        return answer
        """
}
