import Bytes
import Core
import HTTP

/// The kinds that `POST /v1/jobs` takes; agents have operations of their own.
private enum CreatableKind: String, CaseIterable {
    case command
}

extension Endpoints {
    /// Runs a command in a project: `POST /v1/jobs`.
    func createJob(_ request: HTTPRequest, _ call: PersonCall) async throws -> HTTPResponse {
        let (form, spec) = try await request.jsonObject(limit: BodyLimits.job) { fields in
            let form = JobForm(&fields)
            _ = fields.choice("kind", CreatableKind.self, required: true)
            let argv = fields.strings("argv", count: 1...JobLimits.arguments, maximum: JobLimits.argumentBytes) ?? []
            if let program = argv.first, program.isEmpty { fields.fault("argv", "the program must not be empty") }
            let environment = fields.stringMap(
                "env",
                count: JobLimits.environmentVariables,
                maximum: JobLimits.argumentBytes
            )
            let total =
                argv.reduce(0) { $0 + $1.utf8.count }
                + (environment ?? [:]).reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
            if total > JobLimits.commandBytes {
                fields.fault("argv", "argv and env together must be at most \(JobLimits.commandBytes) bytes")
            }
            let input = fields.string("stdin", minimum: 0, maximum: JobLimits.standardInputBytes, required: false)
            return (form, CommandSpec(argv: argv, environment: environment ?? [:], standardInput: input))
        }
        return try await submit(form, .command(spec), request, call)
    }
}
