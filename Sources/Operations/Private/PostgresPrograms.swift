import Platform

/// PostgreSQL's programs of one version.
struct PostgresPrograms: Hashable, Sendable {
    let directory: String
    let major: Int

    /// The versions that the migrations are tested with begin here.
    static let oldest = 15

    func path(_ name: String) -> String { "\(directory)/\(name)" }

    /// Finds version 15 where Debian keeps it, else any newer one there or on the search path.
    static func find() throws -> PostgresPrograms {
        let versions = ((try? Files.list("/usr/lib/postgresql")) ?? []).compactMap { Int($0) }.filter { $0 >= oldest }
        for major in versions.sorted() {
            let directory = "/usr/lib/postgresql/\(major)/bin"
            if isComplete(directory) { return PostgresPrograms(directory: directory, major: major) }
        }
        if let initdb = Program.find("initdb") {
            let directory = String(try Files.resolved(initdb).dropLast("/initdb".count))
            if isComplete(directory), let major = major(of: directory) {
                return PostgresPrograms(directory: directory, major: major)
            }
        }
        throw ProgramError(
            program: "postgres",
            reason:
                "PostgreSQL \(oldest) or newer was not found: install the package postgresql, or put its programs on PATH"
        )
    }

    private static func isComplete(_ directory: String) -> Bool {
        ["postgres", "initdb", "psql", "pg_isready"].allSatisfy { Files.isExecutable("\(directory)/\($0)") }
    }

    /// The version as the directory's name has it, which every distribution's layout does.
    private static func major(of directory: String) -> Int? {
        directory.split { !$0.isNumber }.compactMap { Int($0) }.last { $0 >= oldest && $0 < 100 }
    }
}
