import Bytes
import Core
import Crypto
import HTTP
import Link
import Platform
import Transport

/// Who this worker is to the API.
struct WorkerCredentials: Sendable, Equatable {
    var worker: WorkerID
    /// Proves it; only its hash is known to the API.
    var secret: String
}

/// Gets a worker its credential: from its file, or once in exchange for an enrolment token.
enum Enrolment {
    /// The credential in the file `path`; nil when there is no file.
    static func load(_ path: String) throws(WorkerError) -> WorkerCredentials? {
        let bytes: [UInt8]
        do throws(PlatformError) {
            guard try Files.status(path) != nil else { return nil }
            bytes = try Files.readAll(path, limit: 64 << 10)
        } catch {
            throw .storage("\(error)")
        }
        guard let credentials = parse(bytes) else { throw .storage("\(path) is damaged") }
        return credentials
    }

    /// Exchanges a one-time token for the right to a credential, which is kept in the file `path`, for this user alone.
    ///
    /// The credential is made here and on the disk before it is sent: should the answer be lost, or not be kept, the same
    /// token and the same credential are answered again.
    static func enrol(
        token: String,
        client: HTTPClient,
        base: ClientURL,
        path: String
    ) async throws(WorkerError) -> WorkerCredentials {
        let offered = path + ".offered"
        let secret = try await offer(for: token, path: offered)
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("token", token)
        writer.member("credential", secret)
        writer.endObject()
        var headers = HTTPHeaders()
        headers.set(name: "content-type", value: "application/json")
        guard let url = base.with(target: LinkProtocol.enrolPath) else { throw .refused("the address cannot be used") }
        let answer: ClientResponse
        do throws(HTTPClientError) {
            answer = try await client.send(method: .post, url: url, headers: headers, body: writer.bytes)
        } catch {
            throw .unreachable("\(error)")
        }
        // Too many at once, or not up yet.
        guard answer.status != 429, answer.status < 500 else { throw .unreachable("it answered \(answer.status)") }
        guard (200..<300).contains(answer.status) else {
            let problem = (try? JSONReader.parse(answer.body))?["code"]?.string ?? "no reason given"
            throw .refused("enrolment was answered with \(answer.status) (\(problem))")
        }
        guard let worker = (try? JSONReader.parse(answer.body))?["worker_id"]?.string.flatMap({ WorkerID($0) }) else {
            throw .refused("the answer to the enrolment is malformed")
        }
        let credentials = WorkerCredentials(worker: worker, secret: secret)
        try await write(["worker_id": worker.description, "credential": secret], to: path)
        // The credential stands in the file above now; left behind, this one would say no more.
        try? Files.remove(offered)
        return credentials
    }

    /// The credential for a token: the one of an attempt before, or a new one.
    private static func offer(for token: String, path: String) async throws(WorkerError) -> String {
        let digest = Hex.encode(Digest.sha256(Array(token.utf8)))
        do throws(PlatformError) {
            if try Files.status(path) != nil {
                let former = try? JSONReader.parse(try Files.readAll(path, limit: 64 << 10))
                // One that was offered with another token may be another worker's by now.
                if former?["token_sha256"]?.string == digest, let secret = former?["credential"]?.string,
                    LinkProtocol.isCredential(secret)
                {
                    return secret
                }
            }
        } catch {
            throw .storage("\(error)")
        }
        let secret = LinkProtocol.credentialPrefix + Base64.encodeURL(SecureRandom.bytes(32))
        try await write(["token_sha256": digest, "credential": secret], to: path)
        return secret
    }

    private static func write(
        _ members: KeyValuePairs<String, String>,
        to path: String
    ) async throws(WorkerError) {
        var writer = JSONWriter()
        writer.beginObject()
        for (name, value) in members { writer.member(name, value) }
        writer.endObject()
        let bytes = writer.bytes
        do {
            try await BlockingPool.run { try Files.writeAtomically(path, bytes, mode: 0o600) }
        } catch {
            throw .storage("\(error)")
        }
    }

    private static func parse(_ bytes: [UInt8]) -> WorkerCredentials? {
        guard let value = try? JSONReader.parse(bytes),
            let worker = value["worker_id"]?.string.flatMap({ WorkerID($0) }),
            let secret = value["credential"]?.string, !secret.isEmpty
        else { return nil }
        return WorkerCredentials(worker: worker, secret: secret)
    }
}
