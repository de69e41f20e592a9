import Bytes
import Core
import HTTP
import Link
import Platform

extension Endpoints {
    /// A reservation outlives many of these.
    private static let renewalInterval = Duration.seconds(60)

    /// Replaces files of a project's workspace by a tar archive's: `PUT /v1/projects/{id}/workspace`.
    func putWorkspace(_ request: HTTPRequest, _ call: ProjectCall) async throws -> HTTPResponse {
        guard request.headers["content-type"] == "application/x-tar" else {
            throw ProblemError(.notTar("application/x-tar"))
        }
        let (project, scope) = (call.project.id, call.principal.scope)
        let declared = request.body.declaredLength.map { Int64(clamping: $0) }
        if let declared, declared > WorkspaceHold.largestArchive { throw ProblemError(.archiveTooLarge) }
        let hold = try await services.quotas.holdWorkspace(
            project,
            bytes: declared,
            scope: scope,
            now: services.time.now
        )
        guard let hold else { throw ProblemError(.missing("project")) }
        do {
            let (response, bytes) = try await receive(request, call, hold)
            try await services.quotas.settleWorkspace(hold, bytes: bytes, scope: scope)
            return response
        } catch {
            // What did not come needs no room; when this does not arrive either, the reservation ends by itself.
            try? await services.quotas.settleWorkspace(hold, bytes: nil, scope: scope)
            throw error
        }
    }

    /// Passes an archive on to the worker; answers with what to say and how long it was.
    private func receive(
        _ request: HTTPRequest,
        _ call: ProjectCall,
        _ hold: WorkspaceHold
    ) async throws -> (HTTPResponse, bytes: Int64) {
        // Told before anything is replaced: what follows may not be recorded any more, when the database goes away.
        try await services.audit.record([draft(request, call, "workspace.upload_begun")])
        let transfer = try await beginTransfer(call, .push)
        defer { services.links.end(transfer) }
        switch try await pump(request.body, into: transfer, hold, call.principal.scope) {
        case .done(let bytes, let entries):
            let facts = [AuditDetail("bytes", "\(bytes)"), AuditDetail("entries", "\(entries)")]
            try await services.audit.record([draft(request, call, "workspace.uploaded", facts)])
            let response = HTTPResponse.json(
                200,
                document { writer in
                    writer.beginObject()
                    writer.member("bytes", Int64(clamping: bytes))
                    writer.member("entries", entries)
                    writer.endObject()
                }
            )
            return (response, Int64(clamping: bytes))
        case .failed(let failure, let text):
            // Some of the files may have been replaced.
            let reason = [AuditDetail("reason", "\(failure)")]
            try await services.audit.record([draft(request, call, "workspace.uploaded", outcome: .failed, reason)])
            throw refusal(failure, text)
        }
    }

    /// Opens a transfer with the worker that holds the workspace, homing a project that has no home yet.
    func beginTransfer(_ call: ProjectCall, _ direction: WorkspaceDirection) async throws -> WorkspaceTransfer {
        let project = call.project
        var home = project.homeWorker
        if home == nil, let candidate = services.links.anyWorker() {
            // Where the server puts a workspace is its own affair: who may only read it may be the first to ask.
            home = try await services.projects.setHome(project.id, candidate, scope: .system)
        }
        guard let home, let transfer = services.links.begin(home), let control = services.links.control(home) else {
            throw ProblemError(.workerUnavailable)
        }
        control.send(
            .workspace(WorkspaceRequest(transfer: transfer.number, project: project.id, direction: direction))
        )
        return transfer
    }

    /// What a failed transfer means to the client.
    func refusal(_ failure: WorkspaceFailure, _ text: String) -> ProblemError {
        switch failure {
        case .busy: ProblemError(.workspaceBusy)
        case .refused: ProblemError(.workspaceRefused(text))
        case .tooLarge:
            ProblemError(
                Problem(status: 413, code: "workspace_too_large", title: "The archive is too large", detail: text)
            )
        case .entryFailed: ProblemError(.workspaceEntryFailed(text))
        case .cancelled: ProblemError(.workerUnavailable)
        case .failed:
            ProblemError(
                Problem(status: 502, code: "workspace_failed", title: "The worker could not do it", detail: text)
            )
        }
    }

    /// Sends the body's bytes as the worker grants credit, until the worker says how it ended.
    ///
    /// A body whose length was not said is held to the team's room while it comes.
    private func pump(
        _ body: any RequestBody,
        into transfer: WorkspaceTransfer,
        _ hold: WorkspaceHold,
        _ scope: Scope
    ) async throws -> WorkspaceOutcome {
        var renewal = services.loop.now.advanced(by: Self.renewalInterval)
        var taken: Int64 = 0
        var credit = CreditWindow()
        var pending: ArraySlice<UInt8> = []
        var isBodyEnded = false
        while true {
            while credit.isOpen, !isBodyEnded {
                if pending.isEmpty {
                    do throws(BodyError) {
                        guard let piece = try await body.next() else {
                            isBodyEnded = true
                            send(.end(transfer: transfer.number, error: nil), transfer)
                            break
                        }
                        pending = piece[...]
                        taken += Int64(piece.count)
                    } catch {
                        let problem = Problem(error)
                        send(.end(transfer: transfer.number, error: problem.title), transfer)
                        throw ProblemError(problem)
                    }
                }
                if taken > hold.most {
                    send(.end(transfer: transfer.number, error: "there is no room for it"), transfer)
                    let isLargest = hold.most == WorkspaceHold.largestArchive
                    throw ProblemError(isLargest ? .archiveTooLarge : .quotaExceeded(.storedBytes))
                }
                if services.loop.now >= renewal {
                    renewal = services.loop.now.advanced(by: Self.renewalInterval)
                    // A store that is away is asked again long before the reservation ends.
                    try? await services.quotas.renewWorkspace(hold, scope: scope, now: services.time.now)
                }
                let chunk = Array(pending.prefix(LinkProtocol.chunkBytes))
                pending = pending.dropFirst(chunk.count)
                let message = APIBulkMessage.chunk(transfer: transfer.number, chunk)
                credit.spend(message.encoded().count)
                send(message, transfer)
            }
            switch await transfer.next() {
            case .credit(let bytes): _ = credit.grant(UInt32(clamping: bytes))
            case .outcome(let outcome): return outcome
            case .chunk, .end: break
            }
        }
    }

    /// Sends a bulk message to the worker of a transfer; a link that is gone settles the transfer by itself.
    func send(_ message: APIBulkMessage, _ transfer: WorkspaceTransfer) {
        services.links.bulk(transfer.worker)?.send(message)
    }
}

extension Problem {
    /// No workspace takes an archive as long as this, whatever the team may have.
    static var archiveTooLarge: Problem {
        Problem(
            status: 413,
            code: "workspace_too_large",
            title: "The archive is too large",
            detail: "A workspace takes archives of up to \(WorkspaceHold.largestArchive) bytes."
        )
    }
}
