import Agents
import Bytes
import Crypto
import Link
import Platform

/// Brings an archive into a workspace: checked and staged as a whole, then unpacked over what is there.
///
/// The archive is staged inside the sandbox, so that one that turns out to be refused or cut has changed nothing.
struct WorkspacePush {
    /// The beginning of the names of staged archives; what a crash left of them is removed by the next push.
    static let stagingPrefix = ".errand-push-"

    private let sandbox: any OpenSandbox
    private let port: TransferPort
    private let loop: EventLoop

    /// Prepares a push.
    init(_ sandbox: any OpenSandbox, _ port: TransferPort, _ loop: EventLoop) {
        self.sandbox = sandbox
        self.port = port
        self.loop = loop
    }

    /// Runs the push to its end.
    func run() async throws(TransferFault) -> WorkspaceOutcome {
        let staged = "/workspace/" + Self.stagingPrefix + Hex.encode(SecureRandom.bytes(8))
        do throws(TransferFault) {
            let (bytes, entries) = try await stage(staged)
            try await unpack(staged)
            try await WorkspaceProgram.run(["rm", "-f", "--", staged], in: sandbox, loop: loop)
            return .done(bytes: bytes, entries: entries)
        } catch {
            // The next push removes it when this fails too.
            try? await WorkspaceProgram.run(["rm", "-f", "--", staged], in: sandbox, loop: loop)
            throw error
        }
    }

    private func unpack(_ path: String) async throws(TransferFault) {
        // An archive's `./` must not change the mode of the workspace itself, where nobody could work any more.
        let program = try await WorkspaceProgram.start(
            [
                "tar", "--extract", "--no-overwrite-dir", "--file=\(path)", "--directory=/workspace", "--no-same-owner",
                "--delay-directory-restore", "--warning=no-unknown-keyword", "--warning=no-timestamp",
            ],
            in: sandbox,
            loop: loop
        )
        while await !program.process.readOutput().isEmpty {}
        let end = await program.end()
        guard end.exit != .exited(0) else { return }
        if case .exited = end.exit, let fault = UnpackFault(end.complaints) {
            throw TransferFault(.entryFailed, fault.description)
        }
        throw WorkspaceProgram.failure(of: "tar", end.exit, end.complaints)
    }

    private func stage(_ path: String) async throws(TransferFault) -> (bytes: UInt64, entries: Int) {
        let script = "rm -rf -- /workspace/\(Self.stagingPrefix)* && exec cat > \"$1\""
        let program = try await WorkspaceProgram.start(
            ["sh", "-c", script, "sh", path],
            takesInput: true,
            in: sandbox,
            loop: loop
        )
        do throws(TransferFault) {
            return try await receive(into: program)
        } catch {
            // Only when it has ended can it no longer create the file that is about to be removed.
            await program.kill()
            throw error
        }
    }

    private func receive(into program: WorkspaceProgram) async throws(TransferFault) -> (bytes: UInt64, entries: Int) {
        var granter = CreditGranter(window: LinkProtocol.transferWindow)
        var reader = TarReader()
        var bytes: UInt64 = 0
        while true {
            if let grant = granter.grant() {
                let credit = WorkerBulkMessage.transferCredit(transfer: port.number, bytes: grant)
                guard await port.send(credit) else { throw TransferFault(.cancelled, "the link was cut") }
            }
            switch await port.inbox.next() {
            case .chunk(let chunk, let cost):
                guard granter.received(cost) else { throw TransferFault(.failed, "bytes came without credit") }
                try Self.check { () throws(TarRefusal) in try reader.feed(chunk) }
                guard await program.process.write(chunk) else {
                    try await program.finish("cat")
                    throw TransferFault(.failed, "the archive cannot be staged")
                }
                bytes += UInt64(chunk.count)
                granter.consume(cost)
            case .end(nil):
                try Self.check { () throws(TarRefusal) in try reader.finish() }
                program.process.closeInput()
                try await program.finish("cat")
                return (bytes, reader.entries)
            case .end(let error?): throw TransferFault(.cancelled, error)
            case .cut: throw TransferFault(.cancelled, "the link was cut")
            case .credit: continue
            case nil: throw TransferFault(.cancelled, "nothing came for too long")
            }
        }
    }

    private static func check(_ body: () throws(TarRefusal) -> Void) throws(TransferFault) {
        do throws(TarRefusal) {
            try body()
        } catch {
            throw TransferFault(error.reason == .tooLarge ? .tooLarge : .refused, error.description)
        }
    }
}
