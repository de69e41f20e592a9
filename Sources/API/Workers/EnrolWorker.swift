import Bytes
import Core
import Crypto
import HTTP

extension Endpoints {
    /// Exchanges a one-time enrolment token for a worker's credential: `POST /v1/worker-link/enrol`.
    func enrolWorker(_ request: HTTPRequest) async throws -> HTTPResponse {
        let token = try await request.jsonObject { $0.string("token", maximum: 256) }
        let credential = WorkerCredential.make()
        let now = services.time.now
        guard
            let worker = try await services.workers.enrol(
                enrolmentHash: Digest.sha256(Array((token ?? "").utf8)),
                credentialHash: credential.hash,
                now: now,
                audit: { id in
                    request.auditDraft(
                        by: .worker(id),
                        "worker.enrolled",
                        team: nil,
                        target: id.description,
                        at: now
                    )
                }
            )
        else { throw ProblemError(.workerRefused) }
        return .json(
            201,
            document { writer in
                writer.beginObject()
                writer.member("worker_id", worker.id.description)
                writer.member("credential", credential.token)
                writer.endObject()
            }
        )
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
    package static func make() -> (token: String, hash: [UInt8]) { secret("erw_") }

    /// A new one-time enrolment token: the text for the operator and the hash for the store.
    package static func makeEnrolment() -> (token: String, hash: [UInt8]) { secret("ere_") }

    private static func secret(_ prefix: String) -> (token: String, hash: [UInt8]) {
        let token = prefix + Base64.encodeURL(SecureRandom.bytes(32))
        return (token, Digest.sha256(Array(token.utf8)))
    }
}
