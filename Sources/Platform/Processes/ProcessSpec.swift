import Glibc

/// Where one of a child's standard streams leads.
package enum Stdio: Hashable, Sendable {
    /// To the null device.
    case null
    /// To where this process's own stream leads.
    case inherit
    /// To this process, through a pipe.
    case pipe
    /// To an open descriptor, which stays with the caller.
    case descriptor(Int32)
}

/// How a program ended.
package enum ExitStatus: Hashable, Sendable {
    /// It returned this code.
    case exited(Int32)
    /// This signal killed it.
    case signaled(Int32)

    /// Whether it returned zero.
    package var isSuccess: Bool { self == .exited(0) }
}

/// What program to start, and what it shall see.
package struct ProcessSpec: Sendable {
    /// The program file; not looked up on a search path.
    package var path: String
    /// The whole argument vector with the program's own name first.
    package var arguments: [String]
    /// The whole environment; nothing is inherited.
    package var environment: [String: String]
    /// The directory to start in, or nil for the present one.
    package var workingDirectory: String?
    /// What the program reads.
    package var standardInput = Stdio.null
    /// Where its output goes.
    package var standardOutput = Stdio.null
    /// Where its diagnostics go.
    package var standardError = Stdio.null
    /// Whether it leads a session and a process group of its own.
    package var newSession = false
    /// Further descriptors under the numbers that the program knows; all others are closed.
    package var extraDescriptors: [(child: Int32, raw: Int32)] = []
    /// Whether the kernel signals it when the thread that started it ends.
    package var dieWithParent = false
    /// The signal for `dieWithParent`.
    package var parentDeathSignal = SIGKILL

    /// Describes a program with null streams, in the present directory.
    package init(path: String, arguments: [String], environment: [String: String] = [:]) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
    }
}
