import Core

/// The statements on the stored log.
enum LogStatements {
    static let append = PostgresStatement(
        "log.append",
        """
        select a.job, a.attempt_number, a.durable
        from errand_append(
            $1::uuid[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::smallint[],
            $8::bytea[]
        ) a
        """
    )
    private static let lastSeq = """
        coalesce((
            select o.last_seq from job_output o
            where o.job_id = $1::uuid and o.attempt = $2::integer
            order by o.first_seq desc limit 1
        ), 0)
        """
    static let durable = PostgresStatement("log.durable", "select \(lastSeq)")
    /// Nothing when the attempt has lost its job.
    static let head = PostgresStatement(
        "log.head",
        """
        select \(lastSeq) from jobs j
        where j.id = $1::uuid and j.attempt = $2::integer and j.state in ('running', 'paused')
        """
    )
    static let attempts = PostgresStatement(
        "log.attempts",
        """
        select n.attempt, coalesce((
            select o.last_seq from job_output o
            where o.job_id = j.id and o.attempt = n.attempt
            order by o.first_seq desc limit 1
        ), 0)
        from jobs j cross join lateral generate_series(1, j.attempt) as n (attempt)
        where j.id = $1::uuid
        order by n.attempt
        """
    )
    /// From the chunk that holds the number on, until the chunks before a row hold what was asked for.
    static let readFromSeq = PostgresStatement(
        "log.read",
        """
        select c.codec, c.data
        from (
            select o.first_seq, o.codec, o.data, sum(o.raw_bytes) over (order by o.first_seq) - o.raw_bytes as before
            from job_output o
            where o.job_id = $1::uuid and o.attempt = $2::integer and o.first_seq >= coalesce((
                select f.first_seq from job_output f
                where f.job_id = $1::uuid and f.attempt = $2::integer and f.first_seq <= $3::bigint
                order by f.first_seq desc limit 1
            ), 0)
            order by o.first_seq limit 64
        ) c
        where c.before < $4::bigint
        order by c.first_seq
        """
    )

    /// The statement that reads a stream from a byte on.
    static func readFromOffset(of stream: LogStream) -> PostgresStatement {
        switch stream {
        case .stdout: readStdout
        case .stderr: readStderr
        case .agent: readAgent
        case .errand: readErrand
        }
    }

    /// The statement that tells a stream's length.
    static func length(of stream: LogStream) -> PostgresStatement {
        switch stream {
        case .stdout: lengthOfStdout
        case .stderr: lengthOfStderr
        case .agent: lengthOfAgent
        case .errand: lengthOfErrand
        }
    }

    private static let readStdout = reading("stdout")
    private static let readStderr = reading("stderr")
    private static let readAgent = reading("agent")
    private static let readErrand = reading("errand")
    private static let lengthOfStdout = measuring("stdout")
    private static let lengthOfStderr = measuring("stderr")
    private static let lengthOfAgent = measuring("agent")
    private static let lengthOfErrand = measuring("errand")

    private static func reading(_ stream: StaticString) -> PostgresStatement {
        PostgresStatement(
            "log.read_\(stream)",
            """
            select c.codec, c.data
            from (
                select o.\(stream)_end as place, o.codec, o.data,
                    sum(o.\(stream)_end - o.\(stream)_start) over (order by o.\(stream)_end)
                        - (o.\(stream)_end - o.\(stream)_start) as before
                from job_output o
                where o.job_id = $1::uuid and o.attempt = $2::integer and o.\(stream)_end > $3::bigint
                    and o.\(stream)_end > o.\(stream)_start
                order by o.\(stream)_end limit 64
            ) c
            where c.before < $4::bigint
            order by c.place
            """
        )
    }

    private static func measuring(_ stream: StaticString) -> PostgresStatement {
        PostgresStatement(
            "log.length_\(stream)",
            """
            select o.\(stream)_end from job_output o
            where o.job_id = $1::uuid and o.attempt = $2::integer and o.\(stream)_end > o.\(stream)_start
            order by o.\(stream)_end desc limit 1
            """
        )
    }
}
