import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// A team's audit log: `GET /v1/teams/{id}/audit`, newest first in pages, or whole as NDJSON or CSV.
    func listAudit(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        if let format = AuditExportFormat(accept: request.headers["accept"]) {
            return try await exportAudit(request, call, format)
        }
        let query = try QueryReader(request, allowed: AuditFilter.names.union(["limit", "cursor"]))
        let filter = try query.auditFilter()
        let page = try await services.audit.entries(
            of: .team(call.team.id),
            matching: filter,
            before: try query.auditPosition("cursor") ?? .end,
            limit: try query.limit(),
            scope: call.principal.scope
        )
        // Told only once it is known that it was asked for.
        try await services.audit.record([
            request.auditDraft(call, "audit.read", at: services.time.now, details: filter.details)
        ])
        let body = document { writer in
            writer.beginObject()
            writer.key("items")
            writer.beginArray()
            for entry in page.items {
                writer.beginObject()
                AuditView.write(entry, to: &writer)
                writer.endObject()
            }
            writer.endArray()
            writer.member("next_cursor", page.next?.description)
            writer.endObject()
        }
        return .json(200, body.harmlessJSON)
    }

    private func exportAudit(
        _ request: HTTPRequest,
        _ call: TeamCall,
        _ format: AuditExportFormat
    ) async throws -> HTTPResponse {
        let filter = try QueryReader(request, allowed: AuditFilter.names).auditFilter()
        var headers = HTTPHeaders([("content-type", format.mediaType), ("vary", "accept")])
        headers.append(
            name: "content-disposition",
            value: "attachment; filename=\"audit-\(call.team.id).\(format.rawValue)\""
        )
        guard request.method != .head else { return HTTPResponse(status: 200, headers: headers) }
        try await services.audit.record([
            request.auditDraft(
                call,
                "audit.exported",
                at: services.time.now,
                details: [AuditDetail("format", format.rawValue)] + filter.details
            )
        ])
        let chain = AuditChain.team(call.team.id)
        let anchor = filter == AuditFilter() ? try await services.auditCheckpoints.anchor(chain) : nil
        let walk = try await AuditWalk(services.audit, chain, matching: filter, scope: call.principal.scope)
        return HTTPResponse(
            status: 200,
            headers: headers,
            body: .stream(length: nil) { writer in
                var walk = walk
                var bytes = format.heading + (anchor.map { format.line($0) } ?? [])
                // A chain that breaks off cuts the connection, so that nobody takes a part for the whole.
                while let entries = try await walk.next() {
                    bytes += entries.flatMap { format.line($0) }
                    if !bytes.isEmpty { try await writer.write(bytes) }
                    bytes = []
                }
                if !bytes.isEmpty { try await writer.write(bytes) }
            }
        )
    }
}

extension AuditFilter {
    /// The parameters that narrow a listing.
    fileprivate static let names: Set<String> = ["from", "to", "actor", "action", "target"]
}

extension QueryReader {
    fileprivate func auditFilter() throws(ProblemError) -> AuditFilter {
        var filter = AuditFilter()
        filter.from = try time("from")
        filter.to = try time("to")
        filter.actor = try text("actor", limit: AuditLimits.actor + "administrator:".utf8.count)
        filter.action = try text("action", limit: AuditLimits.action)
        filter.target = try text("target", limit: AuditLimits.target)
        return filter
    }

    fileprivate func auditPosition(_ name: String) throws(ProblemError) -> AuditPosition? {
        guard let text = value(name) else { return nil }
        guard let position = AuditPosition(text) else {
            throw ProblemError(.malformedParameter(name, "must be the next_cursor of another page"))
        }
        return position
    }
}

extension AuditExportFormat {
    /// The first format that an Accept field names and does not refuse; nil when it names JSON before, or none.
    init?(accept: String?) {
        for range in (accept ?? "").lowercased().split(separator: ",") {
            let parts = range.split(separator: ";").map { $0.filter { !$0.isWhitespace } }
            guard let type = parts.first, !parts.contains(where: { ["q=0", "q=0.0"].contains($0) }) else { continue }
            if type == "application/json" { return nil }
            if let format = Self.allCases.first(where: { $0.mediaType == type }) {
                self = format
                return
            }
        }
        return nil
    }
}
