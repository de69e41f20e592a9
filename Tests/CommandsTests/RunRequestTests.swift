import Bytes
import Platform
import Testing

@testable import Commands

struct RunRequestTests {
    private static func body(_ line: String...) throws -> (path: String, text: String) {
        let request = try RunRequest(Arguments(line, options: JobRun.options))
        let body = try EventLoop.runMain { _ in try await request.body(project: "p") }
        return (request.path, String(decoding: body.encoded(), as: UTF8.self))
    }

    @Test func `words are the prompt`() throws {
        let (path, text) = try Self.body("--model", "m", "fix", "the tests", "--timeout", "10m", "--max-turns=3")
        #expect(path == "/v1/claude/execute")
        #expect(text == #"{"project_id":"p","prompt":"fix the tests","model":"m","max_turns":3,"timeout_seconds":600}"#)
    }

    @Test func `what follows the dashes is the command`() throws {
        let (path, text) = try Self.body(
            "--command",
            "--workspace",
            "none",
            "--env",
            "A=1",
            "--env",
            "A=2=3",
            "--",
            "ls",
            "--json",
            "-la"
        )
        #expect(path == "/v1/jobs")
        let expected =
            #"{"project_id":"p","kind":"command","argv":["ls","--json","-la"],"env":{"A":"2=3"},"workspace":"none"}"#
        #expect(text == expected)
    }

    @Test(arguments: [
        ["--command"], ["--command", "--model", "m", "ls"], ["--env", "A=1", "prompt"], ["--stdin", "-", "prompt"],
        ["--workspace", "copy", "x"], ["--timeout", "0", "x"], ["--timeout", "soon", "x"], ["--priority", "10", "x"],
        ["--command", "--env", "=1", "ls"], ["--command", "--env", "NO_SUCH_VARIABLE_HERE", "ls"], ["--nonsense", "x"],
        ["--on-interrupt", "explode", "x"],
    ])
    func `what cannot be meant is refused`(line: [String]) {
        #expect(throws: UsageError.self) { try JobRun(Arguments(line, options: JobRun.options)) }
    }
}

struct SecretLineTests {
    private static func type(_ keys: [UInt8]) -> SecretLine.Step {
        var line = SecretLine(limit: 8)
        var step = SecretLine.Step.more
        for key in keys where step == .more { step = line.take(key) }
        return step
    }

    @Test(arguments: [
        (Array("abc\n".utf8), "abc"), (Array("ab\u{7f}c\r".utf8), "ac"), (Array("aé\u{8}b\n".utf8), "ab"),
        (Array("wrong\u{15}right\n".utf8), "right"), (Array("\u{7f}\u{7f}x\n".utf8), "x"),
        (Array("123456789\n".utf8), "12345678"),
        (Array("x\u{4}".utf8), "x"), (Array("\n".utf8), ""),
    ])
    func `a typed line can be mended`(keys: [UInt8], text: String) {
        #expect(Self.type(keys) == .done(text))
    }

    @Test(arguments: [[0x61, 0x03], [0x04]] as [[UInt8]])
    func `an interrupt ends the question`(keys: [UInt8]) {
        #expect(Self.type(keys) == .interrupted)
    }
}

struct ListingTests {
    @Test func `jobs are listed with what matters`() throws {
        let now = try #require(Timestamp(rfc3339: "2026-01-02T03:10:00.000Z"))
        let text = #"""
            [{"id":"job_1","state":"running","project_id":"prj_1","created_at":"2026-01-02T03:04:05.000Z",
              "started_at":"2026-01-02T03:09:00.000Z","finished_at":null,"cancel_requested_at":null,"prompt":"fix\nit"},
             {"id":"job_2","state":"failed","project_id":"prj_2","created_at":"2026-01-01T03:04:05.000Z",
              "started_at":"2026-01-01T03:04:05.000Z","finished_at":"2026-01-01T03:04:06.500Z","argv":["sh","-c","exit 3"],
              "result":{"exit_code":3}}]
            """#
        let jobs = try #require(try JSONReader.parse(Array(text.utf8)).array)
        #expect(
            JobTable.layOut(jobs, projectNames: ["prj_1": "web"], now: now).lines() == [
                "JOB    STATE       PROJECT  AGE  TOOK      WHAT",
                "job_1  running     web      5 m  1 m 00 s  fix it",
                "job_2  failed (3)  prj_2    1 d  1.5 s     $ sh -c exit 3",
            ]
        )
    }

    @Test func `a document is shown without what is empty`() throws {
        let text =
            #"{"id":"x","none":null,"list":[],"argv":["a","b c"],"result":{"exit_code":3,"signal":null},"evil":"\u001b[2J"}"#
        let lines = DocumentText.lines(try JSONReader.parse(Array(text.utf8)))
        #expect(
            lines == [
                "id                x", "argv              a b c", "result.exit_code  3", "evil              ^[[2J",
            ]
        )
    }

    @Test func `every verb is called by its own words and describes itself`() {
        let words = ErrandVerbs.all.map { $0.words.joined(separator: " ") }
        #expect(Set(words).count == words.count)
        for verb in ErrandVerbs.all {
            #expect(verb.summary.hasSuffix("."), "\(verb.words)")
            #expect(Set(verb.options.map(\.name)).count == verb.options.count, "\(verb.words)")
        }
    }
}
