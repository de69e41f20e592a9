import Glibc
import SandboxSpec

/// What the fork server is started with.
struct ServerOptions {
    var projectsRoot = ""
    var agentDirectory: String?
    var uidBase: UInt32 = 1_300_000
    var uidCount: UInt32 = 65_536
    var allowsFaults = false

    init(arguments: [String]) throws(SetupFailure) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            if name == "--allow-fault-injection" {
                allowsFaults = true
                continue
            }
            guard let value = rest.popFirst() else { throw Self.invalid("\(name) needs a value") }
            switch name {
            case "--projects-root": projectsRoot = value
            case "--agent-directory": agentDirectory = value
            case "--uid-base": uidBase = try Self.number(name, value)
            case "--uid-count": uidCount = try Self.number(name, value)
            default: throw Self.invalid("unknown option \(name)")
            }
        }
        guard projectsRoot.hasPrefix("/") else { throw Self.invalid("--projects-root must be an absolute path") }
        guard agentDirectory?.hasPrefix("/") != false else {
            throw Self.invalid("--agent-directory must be an absolute path")
        }
        // Below 1000 are the system's own accounts; 65534 and 65535 mean nobody and no one.
        let (end, overflow) = uidBase.addingReportingOverflow(uidCount)
        guard uidBase > 65_535, uidCount >= 2, !overflow, end < 0xFFFF_FFFE else {
            throw Self.invalid("the uid range must begin above 65535 and hold at least 2 uids")
        }
    }

    /// Uids at the end of the range that serve ephemeral sandboxes, a fresh one for each that is alive.
    var ephemeralUIDs: UInt32 {
        max(1, min(4096, uidCount / 4))
    }

    /// Project indices are below this.
    var projectUIDs: UInt32 {
        uidCount - ephemeralUIDs
    }

    private static func number(_ name: String, _ value: String) throws(SetupFailure) -> UInt32 {
        guard let number = UInt32(value) else { throw invalid("\(name) needs a number") }
        return number
    }

    private static func invalid(_ detail: String) -> SetupFailure {
        SetupFailure(step: "options", errno: EINVAL, detail: detail)
    }
}
