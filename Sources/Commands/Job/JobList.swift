import Bytes
import Core
import HTTP
package import Platform

/// `errand ps`: the jobs.
package struct JobList: Verb {
    package static let words = ["ps"]
    package static let usage = "[--all] [--project PROJECT] [--state STATE] [--limit N] [--json]"
    package static let summary = "List jobs, newest first: those that are not finished, or all."
    package static let options = [
        Option("--all", "finished jobs too"),
        Option("-a", "the same"),
        Option("--project", "PROJECT", "only those of one project, by name or id"),
        Option("--state", "STATE", "only those in this state; repeatable"),
        Option("--limit", "N", "at most so many; 50 unless given"),
        Option("--json", "print the jobs' documents as an array"),
    ]

    private let states: [JobState]
    private let project: String?
    private let limit: Int
    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
        var chosen: [JobState] = []
        for text in arguments.all("--state") {
            guard let state = JobState(rawValue: text) else {
                throw UsageError("--state must be one of \(JobState.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            chosen.append(state)
        }
        let isAll = arguments.has("--all") || arguments.has("-a")
        states = !chosen.isEmpty || isAll ? chosen : JobState.allCases.filter { !$0.isFinal }
        project = arguments.value("--project")
        limit = try arguments.integer("--limit", in: 1...10_000) ?? 50
        isJSON = arguments.has("--json")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        var query = states.map { "state=\($0.rawValue)" }
        if let project { query.append("project_id=\(try await client.project(project).id)") }
        let items = try await client.items("/v1/jobs", query: query, limit: limit)
        if isJSON {
            terminal.put(JSONValue.array(items).encoded() + [UInt8(ascii: "\n")])
            return ExitCode.done
        }
        if items.isEmpty {
            let isFiltered = states != JobState.allCases.filter { !$0.isFinal } || project != nil
            terminal.note(isFiltered ? "no such job" : "no unfinished job; --all lists the finished ones too")
            return ExitCode.done
        }
        let projects = try await client.items("/v1/projects").compactMap { ProjectRow($0) }
        let names = Dictionary(projects.map { ($0.id, $0.name) }) { $1 }
        let table = JobTable.layOut(items, projectNames: names, now: WallClock.now())
        for line in table.lines(width: ClientEnvironment.terminalWidth()) { terminal.print(line) }
        return ExitCode.done
    }
}

/// Jobs as a table.
enum JobTable {
    /// A row for each document of a job.
    static func layOut(_ jobs: [JSONValue], projectNames: [String: String], now: Timestamp) -> Table {
        var table = Table("JOB", "STATE", "PROJECT", "AGE", "TOOK", "WHAT")
        for job in jobs {
            let project = job["project_id"]?.string ?? ""
            table.add(
                job["id"]?.string ?? "",
                state(of: job),
                VisibleText.cut(VisibleText.line(projectNames[project] ?? project), to: 24),
                time(job, "created_at").map { HumanText.age(now - $0) } ?? "",
                took(job, now),
                what(job)
            )
        }
        return table
    }

    private static func state(of job: JSONValue) -> String {
        let state = job["state"]?.string ?? ""
        if let code = job["result"]?["exit_code"]?.integer, state == JobState.failed.rawValue {
            return "failed (\(code))"
        }
        let isEnding = job["cancel_requested_at"]?.string != nil && state == JobState.running.rawValue
        return isEnding ? "cancelling" : state
    }

    private static func took(_ job: JSONValue, _ now: Timestamp) -> String {
        guard let start = time(job, "started_at") else { return "" }
        return HumanText.duration((time(job, "finished_at") ?? now) - start)
    }

    private static func what(_ job: JSONValue) -> String {
        if let prompt = job["prompt"]?.string { return VisibleText.line(prompt, limit: 200) }
        let words = job["argv"]?.array?.compactMap { $0.string } ?? []
        return "$ " + VisibleText.line(words.joined(separator: " "), limit: 200)
    }

    private static func time(_ job: JSONValue, _ name: String) -> Timestamp? {
        job[name]?.string.flatMap { Timestamp(rfc3339: $0) }
    }
}
