import Core
import HTTP
import Link

extension Endpoints {
    /// A project's workspace as a tar archive: `GET /v1/projects/{id}/workspace`.
    func getWorkspace(_ request: HTTPRequest, _ call: ProjectCall) async throws -> HTTPResponse {
        // Nobody would take the bytes of an answer without a body, and the transfer would hold the workspace.
        guard request.method != .head else {
            return HTTPResponse(status: 200, headers: HTTPHeaders([("content-type", "application/x-tar")]))
        }
        let transfer = try await beginTransfer(call, .pull)
        var granter = CreditGranter(window: LinkProtocol.transferWindow)
        grant(&granter, transfer)
        // The first event decides the status: a refusal becomes a problem, bytes become a body.
        let first = await transfer.next()
        if case .outcome(.failed(let failure, let text)) = first {
            services.links.end(transfer)
            throw refusal(failure, text)
        }
        do {
            try await services.audit.record([draft(request, call, "workspace.downloaded")])
        } catch {
            send(.end(transfer: transfer.number, error: "the server is busy"), transfer)
            services.links.end(transfer)
            throw error
        }
        var response = HTTPResponse(
            status: 200,
            body: .stream(length: nil) { [self] writer in
                defer { services.links.end(transfer) }
                try await drain(transfer, first: first, granter: granter, to: writer)
            }
        )
        response.headers.append(name: "content-type", value: "application/x-tar")
        return response
    }

    private func drain(
        _ transfer: WorkspaceTransfer,
        first: WorkspaceTransfer.Event,
        granter: CreditGranter,
        to writer: any ResponseBodyWriter
    ) async throws {
        var granter = granter
        var event = first
        while true {
            switch event {
            case .chunk(let bytes):
                guard granter.received(bytes.count) else { throw TransferCut(reason: "bytes came without credit") }
                do {
                    try await writer.write(bytes)
                } catch {
                    send(.end(transfer: transfer.number, error: "the client went away"), transfer)
                    throw error
                }
                granter.consume(bytes.count)
                grant(&granter, transfer)
            case .end(nil), .outcome(.done): return
            case .end(let error?): throw TransferCut(reason: error)
            case .outcome(.failed(_, let text)): throw TransferCut(reason: text)
            case .credit: break
            }
            event = await transfer.next()
        }
    }

    private func grant(_ granter: inout CreditGranter, _ transfer: WorkspaceTransfer) {
        guard let bytes = granter.grant() else { return }
        send(.transferCredit(transfer: transfer.number, bytes: bytes), transfer)
    }
}

/// A body that ends too early: the connection is cut, so that no client takes half an archive for a whole one.
private struct TransferCut: Error {
    let reason: String
}
