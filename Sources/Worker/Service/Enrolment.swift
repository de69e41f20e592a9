import Bytes
import Core
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

    /// Exchanges a one-time token for a credential and keeps it in the file `path`, for this user alone.
    static func enrol(
        token: String,
        client: HTTPClient,
        base: ClientURL,
        path: String
    ) async throws(WorkerError) -> WorkerCredentials {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("token", token)
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
        guard let credentials = parse(answer.body) else { throw .refused("the answer to the enrolment is malformed") }
        let bytes = answer.body
        do {
            try await BlockingPool.run { try Files.writeAtomically(path, bytes, mode: 0o600) }
        } catch {
            throw .storage("\(error)")
        }
        return credentials
    }

    /// The answer of the API is the form on disk too.
    private static func parse(_ bytes: [UInt8]) -> WorkerCredentials? {
        guard let value = try? JSONReader.parse(bytes),
            let worker = value["worker_id"]?.string.flatMap({ WorkerID($0) }),
            let secret = value["credential"]?.string, !secret.isEmpty
        else { return nil }
        return WorkerCredentials(worker: worker, secret: secret)
    }
}
