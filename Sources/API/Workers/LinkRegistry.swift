import Core
import Link
import Platform

/// One open control socket, reachable from every loop.
struct ControlHandle: Sendable {
    let lease: WorkerLease
    let loop: EventLoop
    let send: @Sendable (APIControlMessage) -> Void
    let close: @Sendable (GoodbyeReason) -> Void
}

/// One open bulk socket, reachable from every loop.
struct BulkHandle: Sendable {
    let loop: EventLoop
    let send: @Sendable (APIBulkMessage) -> Void
}

/// The worker links of this process and the workspace transfers that run over them; shared by all loops.
package final class LinkRegistry: Sendable {
    private struct State {
        var controls: [WorkerID: ControlHandle] = [:]
        var bulks: [WorkerID: BulkHandle] = [:]
        var transfers: [UInt64: WorkspaceTransfer] = [:]
        var nextTransfer: UInt64 = 1
        /// Which opening each worker's sockets come from: a resumed session has the lease of the one it replaces.
        var openings: [WorkerID: (control: UInt64, bulk: UInt64)] = [:]
        var nextOpening: UInt64 = 1
    }

    private let state = Lock(State())

    /// Makes an empty registry.
    package init() {}

    /// Puts a control socket in place; the former one of that worker, which it has left, is closed.
    ///
    /// Answers with the number by which this opening is closed.
    func open(_ worker: WorkerID, _ control: ControlHandle) -> UInt64 {
        let (former, orphans, opening) = state.withLock { state in
            let opening = state.nextOpening
            state.nextOpening += 1
            state.openings[worker, default: (0, 0)].control = opening
            let former = state.controls.updateValue(control, forKey: worker)
            return (former, former == nil ? [] : state.transfers.values.filter { $0.worker == worker }, opening)
        }
        // Also with the same lease: a socket that nobody reads any more must claim nothing.
        former?.close(.leaseLost)
        LinkRegistry.cut(orphans)
        return opening
    }

    /// Puts a bulk socket in place, and answers with the number by which this opening is closed.
    func open(_ worker: WorkerID, _ bulk: BulkHandle) -> UInt64 {
        let (orphans, opening) = state.withLock { state in
            let opening = state.nextOpening
            state.nextOpening += 1
            state.openings[worker, default: (0, 0)].bulk = opening
            let former = state.bulks.updateValue(bulk, forKey: worker)
            return (former == nil ? [] : state.transfers.values.filter { $0.worker == worker }, opening)
        }
        LinkRegistry.cut(orphans)
        return opening
    }

    /// The worker has given up what ran over the sockets before: nobody else would end these.
    private static func cut(_ orphans: [WorkspaceTransfer]) {
        for orphan in orphans { orphan.settle(.failed(.cancelled, text: "the worker's link was cut")) }
    }

    /// Removes a control socket if it is still the current one; false when another has taken its place.
    func closeControl(_ worker: WorkerID, opening: UInt64) -> Bool {
        let orphans = state.withLock { state -> [WorkspaceTransfer]? in
            guard state.openings[worker]?.control == opening else { return nil }
            state.controls[worker] = nil
            let orphans = state.transfers.values.filter { $0.worker == worker }
            for orphan in orphans { state.transfers[orphan.number] = nil }
            return orphans
        }
        LinkRegistry.cut(orphans ?? [])
        return orphans != nil
    }

    /// Removes a bulk socket if it is still the current one.
    func closeBulk(_ worker: WorkerID, opening: UInt64) {
        let orphans = state.withLock { state -> [WorkspaceTransfer] in
            guard state.openings[worker]?.bulk == opening else { return [] }
            state.bulks[worker] = nil
            return state.transfers.values.filter { $0.worker == worker }
        }
        LinkRegistry.cut(orphans)
    }

    /// The control socket of a worker.
    func control(_ worker: WorkerID) -> ControlHandle? {
        state.withLock { $0.controls[worker] }
    }

    /// The bulk socket of a worker.
    func bulk(_ worker: WorkerID) -> BulkHandle? {
        state.withLock { $0.bulks[worker] }
    }

    /// Some connected worker, to make a home for a project that has none.
    func anyWorker() -> WorkerID? {
        state.withLock { $0.controls.keys.min() }
    }

    /// Begins a transfer with a connected worker; nil when it is not connected.
    func begin(_ worker: WorkerID) -> WorkspaceTransfer? {
        state.withLock { state in
            guard state.controls[worker] != nil, state.bulks[worker] != nil else { return nil }
            let transfer = WorkspaceTransfer(number: state.nextTransfer, worker: worker)
            state.nextTransfer += 1
            state.transfers[transfer.number] = transfer
            return transfer
        }
    }

    /// The transfer of a number, if it belongs to that worker.
    func transfer(_ number: UInt64, of worker: WorkerID) -> WorkspaceTransfer? {
        state.withLock { state in
            guard let transfer = state.transfers[number], transfer.worker == worker else { return nil }
            return transfer
        }
    }

    /// Forgets a transfer.
    func end(_ transfer: WorkspaceTransfer) {
        state.withLock { $0.transfers[transfer.number] = nil }
    }

    /// Tells every worker of this process to come back elsewhere.
    package func drain() {
        let controls = state.withLock { Array($0.controls.values) }
        for control in controls { control.close(.draining) }
    }
}
