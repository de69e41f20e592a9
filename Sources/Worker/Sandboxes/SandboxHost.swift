import Agents
import Core
import Link

/// Why a sandbox or a process in it could not be had.
struct SandboxRefusal: Error, Equatable, CustomStringConvertible {
    /// The step that failed, as the launcher names it.
    var step: String
    /// One sentence of why.
    var text: String
    /// The error number, 0 when there was none.
    var number: Int32
    /// True when the sandbox stood and only the program could not be executed.
    var isProgramFault: Bool

    /// True when whatever makes sandboxes is gone: the job is not to blame and another worker may run it.
    var isHostGone: Bool { step == "server" && number == brokenPipe }

    var description: String { "\(step): \(text)" }
}

/// EPIPE.
private let brokenPipe: Int32 = 32

/// What a sandbox works on.
enum SandboxWorkspace: Sendable, Equatable {
    /// A project's directories, as the project's own user.
    case project(PlacedProject, readOnly: Bool)
    /// An empty directory that vanishes.
    case ephemeral
}

/// A project's place on this worker.
struct PlacedProject: Sendable, Hashable {
    var id: ProjectID
    /// Which of the job users is the project's.
    var uidIndex: Int
}

/// Makes sandboxes; loop-confined.
protocol SandboxHost: AnyObject {
    /// How strongly jobs are contained, for people.
    var isolation: String { get }
    /// Makes a project's directories, or finds them.
    func prepare(_ project: PlacedProject) async throws(SandboxRefusal)
    /// Removes a project's directories with all that is in them; nothing happens when there are none.
    func remove(_ project: ProjectID) async throws(SandboxRefusal)
    /// Makes a sandbox in which nothing runs yet; `hasModel` keeps a way to a model open.
    func open(
        _ id: String,
        on workspace: SandboxWorkspace,
        hasModel: Bool
    ) async throws(SandboxRefusal) -> any OpenSandbox
}

/// A sandbox that stands; loop-confined.
protocol OpenSandbox: AnyObject {
    /// Lets the sandbox reach a model with this token until it is destroyed.
    func serveModel(_ grant: ModelGrant, token: String) throws(SandboxRefusal)
    /// Executes a program.
    func run(_ program: SandboxProgram) async throws(SandboxRefusal) -> any SandboxProcess
    /// Ends everything in it and waits until nothing is left; may be called again and then waits too.
    func destroy() async
}

/// A program to execute.
struct SandboxProgram: Sendable {
    /// The program first; looked up on the environment's `PATH` when it has no slash.
    var arguments: [String]
    var environment: [(String, String)]
    var workingDirectory: String
    /// False gives it an empty standard input.
    var takesInput: Bool
}

/// A running program; loop-confined, one reader per stream and one writer.
protocol SandboxProcess: AnyObject {
    /// The next piece of standard output; empty at the end.
    func readOutput() async -> [UInt8]
    /// The next piece of standard error; empty at the end.
    func readErrors() async -> [UInt8]
    /// Writes to standard input; false when the program does not read any more.
    func write(_ bytes: [UInt8]) async -> Bool
    /// Ends standard input.
    func closeInput()
    /// Waits for the exit.
    func wait() async -> AgentExit
    /// Sends a signal to the program's process group.
    func signal(_ number: Int32) async
    /// Closes every pipe; readers then see the end.
    func closePipes()
}
