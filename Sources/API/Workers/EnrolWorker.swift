import Bytes
import Core
import Crypto
import HTTP
import Link

extension Endpoints {
    /// Exchanges a one-time enrolment token for the right to a worker's credential: `POST /v1/worker-link/enrol`.
    ///
    /// The worker makes the credential and keeps it before it asks, so that it may ask again when the answer was lost. One
    /// of an older version sends none and is given one.
    func enrolWorker(_ request: HTTPRequest) async throws -> HTTPResponse {
        let (token, own) = try await request.jsonObject { fields -> (String?, String?) in
            let token = fields.string("token", maximum: 256)
            let own = fields.string("credential", maximum: 256, required: false)
            if let own, !LinkProtocol.isCredential(own) {
                fields.fault("credential", "must be \"erw_\" and 32 random bytes in base64url without padding")
            }
            return (token, own)
        }
        let credential = own.map { (token: $0, hash: Digest.sha256(Array($0.utf8))) } ?? WorkerCredential.make()
        let tokenHash = Digest.sha256(Array((token ?? "").utf8))
        guard let worker = try await enrolled(request, tokenHash: tokenHash, credentialHash: credential.hash) else {
            throw ProblemError(.workerRefused)
        }
        return .json(
            201,
            document { writer in
                writer.beginObject()
                writer.member("worker_id", worker.id.description)
                // What the worker sent itself is not sent back.
                if own == nil { writer.member("credential", credential.token) }
                writer.endObject()
            }
        )
    }

    /// The worker whose token and credential these are; nil when they are nobody's, or not one's own.
    private func enrolled(
        _ request: HTTPRequest,
        tokenHash: [UInt8],
        credentialHash: [UInt8]
    ) async throws -> WorkerRecord? {
        let now = services.time.now
        let audit = { (id: WorkerID) in
            request.auditDraft(by: .worker(id), "worker.enrolled", team: nil, target: id.description, at: now)
        }
        do {
            return try await services.workers.enrol(
                enrolmentHash: tokenHash,
                credentialHash: credentialHash,
                now: now,
                audit: audit
            )
        } catch StoreError.conflict {
            // The credential is another worker's: whoever sends it knows what is not theirs.
            return nil
        }
    }

    /// The worker behind a link request.
    func authenticateWorker(_ request: HTTPRequest) async throws -> WorkerRecord {
        guard let value = request.headers["authorization"], value.lowercased().hasPrefix("bearer ") else {
            throw ProblemError(.workerRefused)
        }
        let credential = Array(value.utf8.dropFirst("bearer ".utf8.count))
        guard credential.count <= 256,
            let worker = try await services.workers.worker(credentialHash: Digest.sha256(credential)), !worker.isRevoked
        else { throw ProblemError(.workerRefused) }
        return worker
    }
}

/// The secret that a worker proves itself with; only its hash is stored.
package enum WorkerCredential {
    /// A new credential: the text for the worker and the hash for the store.
    package static func make() -> (token: String, hash: [UInt8]) { secret(LinkProtocol.credentialPrefix) }

    /// A new one-time enrolment token: the text for the operator and the hash for the store.
    package static func makeEnrolment() -> (token: String, hash: [UInt8]) { secret("ere_") }

    private static func secret(_ prefix: String) -> (token: String, hash: [UInt8]) {
        let token = prefix + Base64.encodeURL(SecureRandom.bytes(32))
        return (token, Digest.sha256(Array(token.utf8)))
    }
}
