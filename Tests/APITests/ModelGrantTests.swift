import Auth
import Bytes
import Core
import HTTP
import Link
import Platform
import Store
import TestSupport
import Testing

@testable import API

/// Which key a job is granted, from the request that sets it to the message that carries it.
@Suite struct ModelGrantTests {
    private static let own = ModelGrantSource(
        endpoint: ModelEndpoint(provider: .anthropic, baseURL: ModelEndpoint.anthropicURL, reach: .anywhere),
        key: ClearSecret("sk-installation"),
        team: TeamID(high: 1, low: 2)
    )
    private static let standIn = ModelGrantSource(
        endpoint: ModelEndpoint(provider: .compatible, baseURL: "http://127.0.0.1:9", reach: .anywhere),
        key: ClearSecret("stand-in"),
        team: nil
    )

    private func set(_ key: String, _ path: String, _ token: String, _ world: APIWorld) async throws {
        let body = JSONObject([
            ("provider", .string("compatible")), ("base_url", .string("https://gateway.example")),
            ("key", .string(key)),
        ])
        #expect(try await world.send(.put, path, .object(body), token: token).status == 200)
    }

    private func submit(_ world: APIWorld, _ project: ProjectID, token: String) async throws -> APIAnswer {
        let body = JSONObject([("project_id", .string(project.description)), ("prompt", .string("hello"))])
        return try await world.send(.post, "/v1/claude/execute", .object(body), token: token)
    }

    private func grants(_ world: APIWorld, _ id: JobID) async throws -> ModelGrants {
        let job = try #require(try await world.store.jobs.job(id, scope: .system)).value
        let project = try #require(try await world.store.projects.project(job.projectID, scope: .system)).value
        return await ModelGrants([ClaimedJob(job: job, project: project)], world.replicas[0].services)
    }

    private func jobID(_ answer: APIAnswer) throws -> JobID {
        try #require(answer.json["id"]?.string.flatMap { JobID($0) }, "\(answer.text)")
    }

    @Test func `a job without any key is refused at submit, with the way to set one, and a command is not`()
        async throws
    {
        try await withAPI(model: Self.own) { world in
            let person = try await world.person()
            let token = try await world.device(of: person).token
            let project = try await world.job(of: person).projectID
            let refused = try await submit(world, project, token: token)
            #expect(refused.status == 409 && refused.code == "model_key_missing")
            #expect(refused.json["detail"]?.string?.contains("errand account model-key set") == true)
            let command = JSONObject([
                ("project_id", .string(project.description)), ("kind", .string("command")),
                ("argv", .array([.string("true")])),
            ])
            #expect(try await world.send(.post, "/v1/jobs", .object(command), token: token).status == 202)
            try await set("sk-team", "/v1/teams/\(person.team.id)/model-key", token, world)
            #expect(try await submit(world, project, token: token).status == 202)
        }
    }

    @Test func `the submitter's key goes before the team's, and the installation's is its own team's alone`()
        async throws
    {
        try await withAPI(model: Self.own) { world in
            let (owner, guest) = (try await world.person(), try await world.person())
            try await AccessStage.join(guest, owner.team.id, .member, world)
            let tokens = (try await world.device(of: owner).token, try await world.device(of: guest).token)
            let project = try await world.job(of: owner).projectID
            try await set("sk-team", "/v1/teams/\(owner.team.id)/model-key", tokens.0, world)
            let id = try jobID(try await submit(world, project, token: tokens.1))
            #expect(try await grants(world, id).grants[id]?.apiKey == "sk-team")
            try await set("sk-guest", "/v1/me/model-key", tokens.1, world)
            let grant = try #require(try await grants(world, id).grants[id])
            #expect(grant.apiKey == "sk-guest" && grant.endpoint.baseURL == "https://gateway.example")
            #expect(grant.endpoint.reach == .publicOnly && grant.endpoint.provider == .compatible)
            let shown = try await world.send(.get, "/v1/jobs/\(id)", token: tokens.0)
            #expect(shown.json["model_key"]?.string == "user" && !shown.text.contains("sk-"))
            // Gone for good: the next attempt has none, and not the installation's.
            #expect(try await world.send(.delete, "/v1/me/model-key", token: tokens.1).status == 204)
            let path = "/v1/teams/\(owner.team.id)/model-key"
            #expect(try await world.send(.delete, path, token: tokens.0).status == 204)
            #expect(try await grants(world, id).grants.isEmpty)
        }
    }

    @Test func `the stand-in answers whoever has no key`() async throws {
        try await withAPI(model: Self.standIn) { world in
            let person = try await world.person()
            let token = try await world.device(of: person).token
            let project = try await world.job(of: person).projectID
            let id = try jobID(try await submit(world, project, token: token))
            #expect(try await grants(world, id).grants[id]?.apiKey == "stand-in")
            let shown = try await world.send(.get, "/v1/jobs/\(id)", token: token)
            #expect(shown.json["model_key"]?.string == "stand_in")
            try await set("sk-mine", "/v1/me/model-key", token, world)
            #expect(try await grants(world, id).grants[id]?.apiKey == "sk-mine")
        }
    }

    @Test func `a stored key that does not open or leads elsewhere now is replaced by no other`() async throws {
        try await withAPI(model: Self.standIn) { world in
            let person = try await world.person()
            let token = try await world.device(of: person).token
            let project = try await world.job(of: person).projectID
            try await set("sk-mine", "/v1/me/model-key", token, world)
            let id = try jobID(try await submit(world, project, token: token))
            world.modelCheck.refused = ["gateway.example"]
            #expect(try await grants(world, id).grants.isEmpty)
            world.modelCheck.refused = []
            #expect(try await grants(world, id).grants[id]?.apiKey == "sk-mine")
            let owner = ModelKeyOwner.user(person.user.id)
            let key = try #require(try await world.store.modelKeys.modelKey(of: owner, scope: .system))
            let granted = try await world.store.modelKeys.grantModels([(id, nil)])
            var sealed = try #require(granted.first?.stored?.secret.sealed)
            sealed[sealed.count - 1] ^= 1
            try await world.store.modelKeys.setModelKey(
                key,
                sealed: sealed,
                scope: .system,
                audit: AuditDraft(at: APIWorld.start, team: nil, actor: .system, action: "test.altered")
            )
            let after = try await grants(world, id)
            #expect(after.grants.isEmpty && after.undecided.isEmpty)
        }
    }

    @Test func `a key that was rotated on another server is found in the file when it is needed`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let token = try await world.device(of: person).token
            let project = try await world.job(of: person).projectID
            try await set("sk-mine", "/v1/me/model-key", token, world)
            let id = try jobID(try await submit(world, project, token: token))
            let old = world.masterKeys.ring
            let new = old.rotated(at: APIWorld.start)
            // As the command does it: the file, the database's list, every wrap.
            world.masterKeys.replace(new)
            let audit = AuditDraft(at: APIWorld.start, team: nil, actor: .system, action: "master_key.rotated")
            #expect(try await world.store.secrets.adopt(new.current.id, audit: audit))
            for secret in try await world.store.secrets.secrets(under: old.current.id, after: "", limit: 9) {
                let wrapped = try SealedSecret(secret.sealed).rewrapped(in: secret.place, under: new)
                let change = RewrappedSecret(place: secret.place, old: secret.sealed, new: wrapped.bytes)
                #expect(try await world.store.secrets.rewrap([change]) == 1)
            }
            #expect(try await world.store.secrets.forget(old.current.id))
            #expect(world.masterKeys.ring.current.id == old.current.id)
            #expect(try await grants(world, id).grants[id]?.apiKey == "sk-mine")
            #expect(world.masterKeys.ring.current.id == new.current.id)
        }
    }

    @Test func `a ciphertext that was moved to another row does not open there`() async throws {
        try await withAPI(model: Self.standIn) { world in
            var jobs: [JobID] = []
            let people = (try await world.person(), try await world.person())
            for (person, key) in [(people.0, "sk-first"), (people.1, "sk-second")] {
                let token = try await world.device(of: person).token
                let project = try await world.job(of: person).projectID
                try await set(key, "/v1/me/model-key", token, world)
                jobs.append(try jobID(try await submit(world, project, token: token)))
                #expect(try await grants(world, jobs[jobs.count - 1]).grants.values.map(\.apiKey) == [key])
            }
            let keys = world.store.modelKeys
            let stored = try await keys.grantModels(jobs.map { ($0, nil) })
            let sealed = Dictionary(
                uniqueKeysWithValues: stored.compactMap { model in model.stored.map { (model.job, $0.secret.sealed) } }
            )
            let second = ModelKeyOwner.user(people.1.user.id)
            let shown = try #require(try await keys.modelKey(of: second, scope: .system))
            let audit = AuditDraft(at: APIWorld.start, team: nil, actor: .system, action: "test.moved")
            for (source, opened) in [(jobs[0], []), (jobs[1], ["sk-second"])] {
                let moved = try #require(sealed[source])
                try await keys.setModelKey(shown, sealed: moved, scope: .system, audit: audit)
                let found = try await grants(world, jobs[1])
                #expect(found.grants.values.map(\.apiKey) == opened && found.undecided.isEmpty)
            }
        }
    }

    @Test func `a key that is wrapped anew between its reading and its opening is read again`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let token = try await world.device(of: person).token
            let project = try await world.job(of: person).projectID
            try await set("sk-mine", "/v1/me/model-key", token, world)
            let id = try jobID(try await submit(world, project, token: token))
            let old = world.masterKeys.ring
            let new = old.rotated(at: APIWorld.start)
            let secrets = world.store.secrets
            let audit = AuditDraft(at: APIWorld.start, team: nil, actor: .system, action: "master_key.rotated")
            #expect(try await secrets.adopt(new.current.id, audit: audit))
            // This server has read the file after the old key had left it, as another request makes it do.
            world.masterKeys.replace(new.without([old.current.id]))
            _ = try await world.masterKeys.reread()
            #expect(try await grants(world, id).grants.isEmpty)
            let rewraps = try await secrets.secrets(under: old.current.id, after: "", limit: 9).map { secret in
                let wrapped = try SealedSecret(secret.sealed).rewrapped(in: secret.place, under: new)
                return RewrappedSecret(place: secret.place, old: secret.sealed, new: wrapped.bytes)
            }
            #expect(rewraps.count == 1)
            // Between its reading of the wrap and its opening of it.
            world.masterKeys.hold()
            var found: Result<ModelGrants, any Error>?
            let isFound = LoopCondition()
            world.loop.spawnLocal {
                do { found = .success(try await grants(world, id)) } catch { found = .failure(error) }
                isFound.signalAll()
            }
            while !world.masterKeys.isHeld {
                _ = await isFound.wait(timeout: .milliseconds(2), on: world.loop)
                try #require(found == nil)
            }
            #expect(try await secrets.rewrap(rewraps) == 1)
            world.masterKeys.release()
            while found == nil { await isFound.wait() }
            #expect(try found?.get().grants[id]?.apiKey == "sk-mine")
        }
    }

    @Test func `a store that is away decides nothing`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let token = try await world.device(of: person).token
            let project = try await world.job(of: person).projectID
            try await set("sk-mine", "/v1/me/model-key", token, world)
            let id = try jobID(try await submit(world, project, token: token))
            let job = try #require(try await world.store.jobs.job(id, scope: .system)).value
            let place = try #require(try await world.store.projects.project(project, scope: .system)).value
            await world.store.close()
            let grants = await ModelGrants([ClaimedJob(job: job, project: place)], world.replicas[0].services)
            #expect(grants.undecided == [id] && grants.grants.isEmpty)
        }
    }
}
