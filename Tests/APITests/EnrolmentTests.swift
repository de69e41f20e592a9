import API
import Bytes
import Core
import Crypto
import HTTP
import Store
import Testing

@Suite struct EnrolmentTests {
    private static let path = "/v1/worker-link/enrol"

    private static func body(_ token: String, _ credential: String? = nil) -> JSONValue {
        var members: [(String, JSONValue)] = [("token", .string(token))]
        if let credential { members.append(("credential", .string(credential))) }
        return .object(JSONObject(members))
    }

    /// A worker that may enrol, and its token.
    private static func invited(_ world: APIWorld) async throws -> (id: WorkerID, token: String) {
        let (id, enrolment) = (WorkerID(at: world.time.now), WorkerCredential.makeEnrolment())
        try await world.store.workers.createWorker(
            id,
            name: world.unique("worker"),
            enrolmentHash: enrolment.hash,
            expiresAt: world.time.now.adding(seconds: 3_600),
            audit: AuditDraft(at: world.time.now, team: nil, actor: .system, action: "worker.created")
        )
        return (id, enrolment.token)
    }

    @Test func `an enrolment whose answer was lost is asked for again, and answered the same`() async throws {
        try await withAPI { world in
            let (id, token) = try await Self.invited(world)
            let own = WorkerCredential.make()
            let first = try await world.send(.post, Self.path, Self.body(token, own.token))
            #expect(first.status == 201 && first.json["worker_id"]?.string == id.description)
            // The answer does not say what only the worker has to know.
            #expect(!first.text.contains(own.token) && first.json["credential"] == nil)
            let again = try await world.send(.post, Self.path, Self.body(token, own.token))
            #expect(again.status == 201 && again.body == first.body)
            #expect(try await world.store.workers.worker(credentialHash: own.hash)?.id == id)
            let stranger = try await world.send(.post, Self.path, Self.body(token, WorkerCredential.make().token))
            #expect(stranger.status == 401 && stranger.code == "worker_refused")
            let (_, other) = try await Self.invited(world)
            let taken = try await world.send(.post, Self.path, Self.body(other, own.token))
            #expect(taken.status == 401 && taken.code == "worker_refused")
        }
    }

    @Test func `a worker of an older version is given a credential, once`() async throws {
        try await withAPI { world in
            let (id, token) = try await Self.invited(world)
            let given = try await world.send(.post, Self.path, Self.body(token))
            #expect(given.status == 201)
            let credential = try #require(given.json["credential"]?.string)
            let hash = Digest.sha256(Array(credential.utf8))
            #expect(try await world.store.workers.worker(credentialHash: hash)?.id == id)
            #expect(try await world.send(.post, Self.path, Self.body(token)).status == 401)
            // It may go on as one that made its own.
            #expect(try await world.send(.post, Self.path, Self.body(token, credential)).status == 201)
        }
    }

    @Test(arguments: ["", "erw_", "erw_short", "abc", "ere_", "erw_" + String(repeating: "!", count: 43)])
    func `a credential that nobody drew by lot is refused`(credential: String) async throws {
        try await withAPI { world in
            let (_, token) = try await Self.invited(world)
            let answer = try await world.send(.post, Self.path, Self.body(token, credential))
            #expect(answer.status == 422 && answer.text.contains("/credential"))
            #expect(
                try await world.send(.post, Self.path, Self.body(token, WorkerCredential.make().token)).status == 201
            )
        }
    }
}
