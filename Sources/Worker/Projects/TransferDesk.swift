import Agents
import Core
import Link
import Platform

/// What comes from the API for one workspace transfer.
enum TransferEvent: Sendable {
    case chunk([UInt8], cost: Int)
    case end(String?)
    case credit(UInt32)
    /// The link is gone.
    case cut
}

/// The events of one transfer in order; loop-confined.
final class TransferInbox {
    /// A peer that grants and sends nothing for this long has forgotten the transfer.
    private static let patience = Duration.seconds(120)

    private let loop: EventLoop
    private let changed = LoopCondition()
    private var events: [TransferEvent] = []

    /// An empty inbox.
    init(loop: EventLoop) { self.loop = loop }

    /// Adds an event.
    func put(_ event: TransferEvent) {
        events.append(event)
        changed.signalAll()
    }

    /// The next event; nil when nothing came for too long.
    func next() async -> TransferEvent? {
        let deadline = loop.now.advanced(by: Self.patience)
        while events.isEmpty {
            guard loop.now < deadline else { return nil }
            _ = await changed.wait(timeout: deadline - loop.now, on: loop)
        }
        return events.removeFirst()
    }

    /// An event that is there already.
    func poll() -> TransferEvent? { events.isEmpty ? nil : events.removeFirst() }
}

/// Why a transfer did not succeed.
struct TransferFault: Error {
    let failure: WorkspaceFailure
    let text: String

    /// Names a failure.
    init(_ failure: WorkspaceFailure, _ text: String) {
        self.failure = failure
        self.text = text.cut(toBytes: LinkProtocol.textBytes)
    }
}

/// Moves workspaces: each transfer has the project for itself and works inside a sandbox of the project's user.
///
/// Loop-confined. No path of an archive is ever looked at by a process outside the sandbox.
final class TransferDesk {
    private let shelf: ProjectShelf
    private let sandboxes: any SandboxHost
    private let loop: EventLoop
    private let report: (WorkerEvent) -> Void
    private var inboxes: [UInt64: TransferInbox] = [:]
    /// What came on the bulk socket for transfers whose request is still on its way on the other one.
    private var early: [(transfer: UInt64, event: TransferEvent)] = []
    /// More requests than this are never under way at once.
    private static let earlyLimit = 256
    private var count: UInt64 = 0
    /// Sends on the present bulk socket; false when there is none.
    var sendBulk: (WorkerBulkMessage) async -> Bool = { _ in false }
    /// Says on the present control socket how a transfer ended.
    var sendDone: (UInt64, WorkspaceOutcome) -> Void = { _, _ in }
    /// Says on the present control socket that a workspace is gone.
    var sendRemoved: (ProjectID) -> Void = { _ in }
    private var isRemoving = false

    /// A desk without transfers.
    init(
        shelf: ProjectShelf,
        sandboxes: any SandboxHost,
        loop: EventLoop,
        report: @escaping (WorkerEvent) -> Void
    ) {
        self.shelf = shelf
        self.sandboxes = sandboxes
        self.loop = loop
        self.report = report
    }

    /// Begins a transfer that the API asks for.
    func begin(_ request: WorkspaceRequest) {
        let inbox = TransferInbox(loop: loop)
        inboxes[request.transfer] = inbox
        for entry in early where entry.transfer == request.transfer { inbox.put(entry.event) }
        early.removeAll { $0.transfer == request.transfer }
        loop.spawnLocal { [self] in
            await perform(request, inbox)
            if inboxes[request.transfer] === inbox { inboxes[request.transfer] = nil }
        }
    }

    /// Removes workspaces whose projects are no more, one after the other; what cannot be removed now is asked for again.
    func remove(_ projects: [ProjectID]) {
        guard !isRemoving else { return }
        isRemoving = true
        loop.spawnLocal { [self] in
            for project in projects {
                do throws(ShelfError) {
                    try await shelf.remove(project)
                    sendRemoved(project)
                } catch {
                    report(.removalFailed(project, error.description))
                }
            }
            isRemoving = false
        }
    }

    /// Hands an event to its transfer, which may be over, or not have begun yet.
    func deliver(_ event: TransferEvent, to transfer: UInt64) {
        if let inbox = inboxes[transfer] { return inbox.put(event) }
        // Bytes never come before this end has granted credit for them.
        if case .chunk = event { return }
        early.append((transfer, event))
        if early.count > Self.earlyLimit { early.removeFirst() }
    }

    /// Ends all transfers, whose link is gone.
    func cut() {
        for inbox in inboxes.values { inbox.put(.cut) }
        inboxes = [:]
        early = []
    }

    private func perform(_ request: WorkspaceRequest, _ inbox: TransferInbox) async {
        let ended: Result<WorkspaceOutcome?, TransferFault>
        do throws(TransferFault) {
            ended = .success(try await move(request, inbox))
        } catch {
            ended = .failure(error)
        }
        switch ended {
        case .success(let outcome?): sendDone(request.transfer, outcome)
        case .success(nil): break
        case .failure(let fault):
            report(.transferFailed(request.project, fault.text))
            sendDone(request.transfer, .failed(fault.failure, text: fault.text))
        }
    }

    /// Moves a workspace; nil when the bulk socket has told the end already.
    private func move(
        _ request: WorkspaceRequest,
        _ inbox: TransferInbox
    ) async throws(TransferFault) -> WorkspaceOutcome? {
        let project: PlacedProject
        do throws(ShelfError) {
            project = try await shelf.enterNow(request.project)
        } catch {
            throw TransferFault(error == .busy ? .busy : .failed, error.description)
        }
        defer { shelf.leave(request.project) }
        count += 1
        let sandbox: any OpenSandbox
        do throws(SandboxRefusal) {
            sandbox = try await sandboxes.open(
                "transfer-\(request.transfer)-\(count)",
                on: .project(project, readOnly: request.direction == .pull),
                hasModel: false
            )
        } catch {
            throw TransferFault(.failed, "sandbox: \(error)")
        }
        let port = TransferPort(number: request.transfer, inbox: inbox, send: sendBulk)
        do throws(TransferFault) {
            let outcome: WorkspaceOutcome?
            switch request.direction {
            case .push: outcome = try await WorkspacePush(sandbox, port, loop).run()
            case .pull:
                try await WorkspacePull(sandbox, port, loop).run()
                outcome = nil
            }
            await sandbox.destroy()
            return outcome
        } catch {
            await sandbox.destroy()
            throw error
        }
    }
}

/// One transfer's way to the API.
struct TransferPort {
    let number: UInt64
    let inbox: TransferInbox
    let send: (WorkerBulkMessage) async -> Bool
}
