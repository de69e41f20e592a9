import Link
import Platform

/// Sends a workspace out as an archive, written by `tar` inside the project's sandbox.
struct WorkspacePull {
    private let sandbox: any OpenSandbox
    private let port: TransferPort
    private let loop: EventLoop

    // Only what a push takes back: files, directories and links. What the job made unreadable is left out.
    private static let script = """
        find . '(' -type f -o -type d -o -type l ')' ! -path "$1" -print0 2>/dev/null | LC_ALL=C sort -z |
            tar --create --file=- --null --verbatim-files-from --no-recursion --ignore-failed-read --files-from=- \
                --warning=no-failed-read
        """

    /// Prepares a pull.
    init(_ sandbox: any OpenSandbox, _ port: TransferPort, _ loop: EventLoop) {
        self.sandbox = sandbox
        self.port = port
        self.loop = loop
    }

    /// Runs the pull; it throws only before the first byte, later faults end the bytes themselves.
    func run() async throws(TransferFault) {
        let program = try await WorkspaceProgram.start(
            ["sh", "-c", Self.script, "sh", "./\(WorkspacePush.stagingPrefix)*"],
            in: sandbox,
            loop: loop
        )
        var hasSent = false
        do throws(TransferFault) {
            try await pump(program, &hasSent)
            try await program.finish("tar")
        } catch {
            guard hasSent else { throw error }
            _ = await port.send(.end(transfer: port.number, error: error.text))
            return
        }
        _ = await port.send(.end(transfer: port.number, error: nil))
    }

    private func pump(_ program: WorkspaceProgram, _ hasSent: inout Bool) async throws(TransferFault) {
        var window = CreditWindow()
        while true {
            while let event = port.inbox.poll() { try Self.take(event, &window) }
            while !window.isOpen { try Self.take(await port.inbox.next(), &window) }
            let bytes = await program.process.readOutput()
            guard !bytes.isEmpty else { return }
            hasSent = true
            window.spend(bytes.count)
            guard await port.send(.chunk(transfer: port.number, bytes)) else {
                throw TransferFault(.cancelled, "the link was cut")
            }
        }
    }

    private static func take(_ event: TransferEvent?, _ window: inout CreditWindow) throws(TransferFault) {
        switch event {
        case .credit(let bytes):
            guard window.grant(bytes) else { throw TransferFault(.failed, "an absurd grant") }
        case .end(let error): throw TransferFault(.cancelled, error ?? "the client went away")
        case .cut: throw TransferFault(.cancelled, "the link was cut")
        case .chunk: throw TransferFault(.failed, "bytes came for a pull")
        case nil: throw TransferFault(.cancelled, "no credit came for too long")
        }
    }
}
