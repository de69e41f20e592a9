import Auth
import Bytes
import Core
import Crypto
import HTTP
import Platform
import Store
import Testing

@testable import API

@Suite struct PasswordChangeTests {
    private static let new = "twelve tall ships at anchor"

    private static func change(
        _ current: String,
        _ new: String,
        token: String,
        in world: APIWorld,
        replica: Int = 0
    ) async throws -> APIAnswer {
        let form = JSONValue.form(["current_password": current, "new_password": new])
        return try await world.send(.post, "/v1/me/password", form, token: token, replica: replica)
    }

    @Test func `item 24: a changed password ends every other sign-in with its streams, and is recorded and told`()
        async throws
    {
        try await withAPI(replicas: 2) { world in
            let person = try await world.person()
            let here = try await world.device(of: person).token
            let other = try await world.signIn(person)
            let job = try await world.job(of: person).id
            let watcher = try await Watcher(job, token: other.access, in: world, replica: 1)
            #expect(try await Self.change(APIWorld.password, Self.new, token: here, in: world).status == 204)
            #expect(try await world.send(.get, "/v1/me", token: here).status == 200)
            for replica in 0...1 {
                #expect(try await world.send(.get, "/v1/me", token: other.access, replica: replica).status == 401)
            }
            #expect(await watcher.ends(within: .seconds(1)))
            let refresh = JSONValue.form(["refresh_token": other.refresh])
            #expect(try await world.send(.post, "/v1/auth/refresh", refresh).code == "refresh_refused")
            #expect(try await world.acts().last?.action == "password.changed")
            let notices = try await world.send(.get, "/v1/me/notices", token: here)
            #expect(notices.json["items"]?.array?.first?["kind"]?.string == "password_changed")
            let old = JSONValue.form(["email": person.user.email, "password": APIWorld.password])
            #expect(try await world.send(.post, "/v1/auth/login", old).code == "wrong_credentials")
            _ = try await world.signIn(person, password: Self.new)
        }
    }

    @Test func `item 29: a change needs the present password, and a wrong one changes nothing and is recorded`()
        async throws
    {
        try await withAPI { world in
            let person = try await world.person()
            let (here, other) = (try await world.device(of: person).token, try await world.device(of: person).token)
            for wrong in ["not it at all", Self.new, APIWorld.password + " "] {
                let answer = try await Self.change(wrong, Self.new, token: here, in: world)
                #expect(answer.status == 403 && answer.code == "wrong_password")
            }
            let act = try #require(try await world.acts().last)
            #expect(act.action == "sign_in.refused" && act.outcome == .refused)
            #expect(try await world.send(.get, "/v1/me", token: other).status == 200)
            _ = try await world.signIn(person)
            let missing = JSONValue.form(["new_password": Self.new])
            #expect(try await world.send(.post, "/v1/me/password", missing, token: here).status == 422)
        }
    }

    @Test func `item 29: guessing the present password is rated like signing in`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let here = try await world.device(of: person).token
            var statuses: [Int] = []
            for _ in 0..<6 { statuses.append(try await Self.change("guess", Self.new, token: here, in: world).status) }
            #expect(statuses == [403, 403, 403, 403, 403, 429])
            let right = try await Self.change(APIWorld.password, Self.new, token: here, in: world)
            #expect(right.code == "sign_in_throttled" && right.headers["retry-after"] == "1")
            // Whoever guesses on one device makes neither the others wait nor a sign-in.
            let form = JSONValue.form(["password": APIWorld.password])
            let other = try await world.device(of: person).token
            #expect(try await world.send(.post, "/v1/auth/reauthenticate", form, token: other).status == 204)
            _ = try await world.signIn(person)
            // Everything else goes on.
            #expect(try await world.send(.get, "/v1/me", token: here).status == 200)
            world.time.advance(by: .seconds(1))
            #expect(try await Self.change(APIWorld.password, Self.new, token: here, in: world).status == 204)
        }
    }

    @Test func `item 29: guesses with a stolen token do not keep the owner from changing the password`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let (stolen, own) = (try await world.device(of: person).token, try await world.device(of: person).token)
            let guess = JSONValue.form(["password": "not this one"])
            var codes: [String?] = []
            repeat {
                codes.append(try await world.send(.post, "/v1/auth/reauthenticate", guess, token: stolen).code)
            } while codes.last != "rate_limited" && codes.count < 40
            #expect(Set(codes) == ["wrong_password", "sign_in_throttled", "rate_limited"])
            #expect(try await Self.change(APIWorld.password, Self.new, token: own, in: world).status == 204)
            #expect(try await world.send(.get, "/v1/me", token: stolen).status == 401)
        }
    }

    @Test func `item 26: a refused password names its reason, and the words of the person and the team count`()
        async throws
    {
        try await withAPI { world in
            let person = try await world.person()
            let here = try await world.device(of: person).token
            let refusals = [
                ("short", "at least 12"), ("password1234", "guessed first"), ("abcabcabcabc", "repeats"),
                ("\(person.user.name)-\(person.user.name)", "little more than"),
                ("\(person.user.email)1", "little more than"), ("errand-79461", "little more than"),
                (String(repeating: "x7-Kq9_w", count: 33), "at most 256"),
            ]
            for (password, reason) in refusals {
                let answer = try await Self.change(APIWorld.password, password, token: here, in: world)
                #expect(answer.status == 422 && answer.code == "password_refused", "\(password): \(answer.text)")
                #expect(answer.json["detail"]?.string?.contains(reason) == true, "\(password): \(answer.text)")
                #expect(answer.json["errors"]?.array?.first?["pointer"]?.string == "/new_password")
                #expect(!answer.text.contains(password))
            }
            _ = try await world.signIn(person)
        }
    }

    @Test func `item 26: a leaked password is refused, and a list that cannot be read lets none through`() async throws
    {
        try await withAPI { world in
            let list = LeakedList([Self.new])
            world.breachedPasswords = list
            let replica = world.addReplica()
            let person = try await world.person()
            let here = try await world.device(of: person).token
            let leaked = try await Self.change(APIWorld.password, Self.new, token: here, in: world, replica: replica)
            #expect(leaked.status == 422 && leaked.json["detail"]?.string?.contains("leaked") == true)
            world.breachedPasswords = BrokenList()
            let blind = world.addReplica()
            let unchecked = try await Self.change(APIWorld.password, Self.new, token: here, in: world, replica: blind)
            #expect(unchecked.status == 503 && unchecked.code == "overloaded")
            let good = Self.new + "!"
            let fine = try await Self.change(APIWorld.password, good, token: here, in: world, replica: replica)
            #expect(fine.status == 204)
        }
    }

    @Test func `of two changes at once one wins, and the other is told that its password was wrong`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let tokens = [try await world.device(of: person).token, try await world.device(of: person).token]
            let passwords = [Self.new + " one", Self.new + " two"]
            var answers: [Int: APIAnswer] = [:]
            let done = LoopCondition()
            for index in 0...1 {
                world.loop.spawnLocal {
                    answers[index] = try? await Self.change(
                        APIWorld.password,
                        passwords[index],
                        token: tokens[index],
                        in: world
                    )
                    done.signalAll()
                }
            }
            while answers.count < 2 { await done.wait() }
            let winners = (0...1).filter { answers[$0]?.status == 204 }
            #expect(winners.count == 1)
            let winner = try #require(winners.first)
            let loser = try #require(answers[1 - winner])
            #expect([401, 403].contains(loser.status))
            _ = try await world.signIn(person, password: passwords[winner])
        }
    }

    @Test func `item 27: a hash of lower cost is made anew at sign-in, one of higher cost is left alone`() async throws
    {
        try await withAPI { world in
            let salt = SecureRandom.bytes(PasswordHash.saltLength)
            let password = [UInt8](APIWorld.password.utf8)
            let costs: [(Argon2Parameters, Bool)] = [
                (Argon2Parameters(memoryKiB: 1_024, iterations: 3, lanes: 4), true),
                (Argon2Parameters(memoryKiB: 65_536, iterations: 1, lanes: 4), true),
                (Argon2Parameters(memoryKiB: 65_536, iterations: 4, lanes: 1), false),
            ]
            for (cost, isWeak) in costs {
                let stored = try PasswordHash.make(password: password, salt: salt, cost)
                let person = try await world.person(passwordHash: stored)
                func hash() async throws -> String? {
                    try await world.store.accounts.credentials(email: person.user.email)?.passwordHash
                }
                _ = try await world.signIn(person)
                // A further sign-in's check stands behind the hashing of the first in a pool of two threads, or beside it.
                let end = world.loop.now.advanced(by: .seconds(10))
                repeat {
                    _ = try await world.signIn(person, address: "10.0.0.\(world.checkedHashes.count % 250)")
                } while try await hash() == stored && isWeak && world.loop.now < end
                let after = try #require(try await hash())
                #expect((after != stored) == isWeak)
                #expect(!PasswordCheck.needsRehash(after))
                // As it is, for good.
                _ = try await world.signIn(person)
                #expect(try await hash() == after)
            }
        }
    }

    @Test(arguments: [
        "$argon2id$v=19$m=4194304,t=3,p=4$AgICAgICAgICAgICAgICAg$AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI",
        "$argon2id$v=19$m=65536,t=1000,p=4$AgICAgICAgICAgICAgICAg$AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI", "plain",
        "",
    ])
    func `item 27: a planted hash that would cost too much is not computed and admits nobody`(
        stored: String
    ) async throws {
        try await withAPI { world in
            let person = try await world.person(passwordHash: stored)
            let form = JSONValue.form(["email": person.user.email, "password": APIWorld.password])
            let began = Instant.now
            let answer = try await world.send(.post, "/v1/auth/login", form)
            #expect(answer.code == "wrong_credentials")
            #expect(Instant.now - began < .seconds(5))
        }
    }
}

/// A list of some leaked passwords.
private struct LeakedList: BreachedPasswords {
    let hashes: Set<[UInt8]>

    init(_ passwords: [String]) { hashes = Set(passwords.map { Digest.sha1([UInt8]($0.utf8)) }) }

    func contains(sha1 digest: [UInt8]) throws -> Bool { hashes.contains(digest) }
}

/// A list whose disk has gone.
private struct BrokenList: BreachedPasswords {
    func contains(sha1 digest: [UInt8]) throws -> Bool { throw PlatformError(stage: "pread(list)", errno: 5) }
}
