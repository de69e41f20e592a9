import Bytes
import Glibc
import Platform

/// What `ready.json` says of an `errand up` that runs.
struct RunningInstallation: Sendable {
    var url: String
    var pid: Int32
    var databaseURL: String

    /// Reads the report of a data directory; throws when nothing runs there.
    static func read(_ directory: String) throws -> RunningInstallation {
        let path = directory + "/ready.json"
        guard Files.exists(path) else {
            throw CommandFailure(
                "nothing is running in \(directory): start it with `errand up --data \(directory)`",
                exitCode: ExitCode.unavailable
            )
        }
        let value = try JSONReader.parse(try Files.readAll(path, limit: 64 << 10))
        guard let url = value["url"]?.string, let pid = value["pid"]?.integer.flatMap({ Int32(exactly: $0) }),
            let database = value["postgres_url"]?.string
        else { throw CommandFailure("\(path) is damaged: stop `errand up` and start it again") }
        return RunningInstallation(url: url, pid: pid, databaseURL: database)
    }

    /// The same, once it is certain that its process lives.
    static func find(_ directory: String) async throws -> RunningInstallation {
        let found = try await BlockingPool.run { try read(directory) }
        let held = try await BlockingPool.run { isHeld(directory) }
        guard held ?? (kill(found.pid, 0) == 0 || errno == EPERM) else {
            throw CommandFailure(
                "the `errand up` of \(directory) has ended: start it again",
                exitCode: ExitCode.unavailable
            )
        }
        return found
    }

    /// Whether a process has the directory's lock: a number in a file may be another process's by now, a lock is not.
    ///
    /// Nil for those who may not open it.
    private static func isHeld(_ directory: String) -> Bool? {
        do throws(PlatformError) {
            return try Files.lock(directory + "/lock") == nil
        } catch {
            return nil
        }
    }
}
