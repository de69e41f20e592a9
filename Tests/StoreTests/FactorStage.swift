import Bytes
import Core
import Crypto
import TestSupport
import Testing

@testable import Store

/// Second factors of two people, over the real store or the one in memory.
final class FactorStage {
    enum Backend: CaseIterable, Sendable { case memory, postgres }

    let factors: any FactorStore
    let passkeys: any PasskeyStore
    let user: UserID
    let other: UserID
    let team: TeamID
    let world: World
    private let memory: InMemoryFactors?
    private var serial: UInt8 = 0

    private init(_ backend: Backend, _ world: World) async throws {
        self.world = world
        let (person, stranger) = (try await world.person(), try await world.person())
        (user, other, team) = (person.user.id, stranger.user.id, person.team.id)
        let memory = backend == .memory ? InMemoryFactors() : nil
        self.memory = memory
        factors = memory ?? world.store.factors
        passkeys = memory ?? world.store.passkeys
        memory?.roleOf = { [user, team] asked, scope in asked == team && scope == .user(user) ? .owner : nil }
        let key = try #require(MasterKeyID([UInt8](repeating: 7, count: 8)))
        _ = try await world.store.secrets.register(key, of: [key])
    }

    static func run(_ backend: Backend, _ body: @escaping @Sendable (FactorStage) async throws -> Void) async throws {
        try await withWorld { try await body(FactorStage(backend, $0)) }
    }

    /// Bytes of the form of a sealed secret; nothing here can open one.
    var sealed: [UInt8] {
        serial += 1
        return [1] + [UInt8](repeating: 7, count: 8) + [UInt8](repeating: serial, count: 100)
    }

    /// What stands for a hash.
    func hash(_ number: UInt8) -> [UInt8] { [UInt8](repeating: number, count: 32) }

    func notice(_ kind: Notice.Kind = .factorEnabled, at now: Timestamp = World.start) -> Notice {
        Notice(kind, at: now, address: "192.0.2.1", userAgent: "test")
    }

    /// A sign-in that stands.
    func signIn(of user: UserID) async throws -> SignInID {
        let signIn = SignIn(
            id: SignInID(at: World.start),
            userID: user,
            deviceName: "d",
            address: "a",
            userAgent: "u",
            createdAt: World.start,
            lastUsedAt: World.start,
            expiresAt: World.start.adding(seconds: 86_400),
            revokedAt: nil
        )
        if let memory {
            memory.signIns[user, default: []].insert(signIn.id)
        } else {
            try await world.store.accounts.createSignIn(signIn, refreshHash: SecureRandom.bytes(32))
        }
        return signIn.id
    }

    /// Makes an authenticator application a factor of a person, with codes 1 to 10 and step 100.
    @discardableResult
    func enrol(_ user: UserID, keeping kept: SignInID? = nil) async throws -> [SignInID] {
        #expect(try await factors.beginTOTP(user, sealed: sealed, now: World.start))
        let ended = try await factors.confirmTOTP(
            user,
            step: 100,
            begunAt: World.start,
            recoveryHashes: (1...10).map(hash),
            keeping: kept,
            notice: notice(),
            audit: .sample("factor.enabled")
        )
        return try #require(ended)
    }

    func passkey(_ number: UInt8, of user: UserID? = nil, signCount: UInt32 = 0) -> Passkey {
        Passkey(
            id: PasskeyID(at: World.start.adding(.milliseconds(Int(number)))),
            user: user ?? self.user,
            credentialID: [1, 2, number],
            publicKey: [0xa0, number],
            name: "key \(number)",
            transports: ["internal", "usb"],
            signCount: signCount,
            isBackedUp: false,
            createdAt: World.start
        )
    }

    func challenge(_ number: UInt8, lasts seconds: Int = 300) -> AnsweredChallenge {
        AnsweredChallenge(hash: hash(number), expiresAt: World.start.adding(seconds: seconds))
    }

    func add(
        _ passkey: Passkey,
        _ number: UInt8,
        keeping kept: SignInID? = nil
    ) async throws -> PasskeyAddition {
        try await passkeys.addPasskey(
            passkey,
            answering: challenge(number),
            recoveryHashes: (1...10).map(hash),
            keeping: kept,
            notice: notice(),
            audit: .sample("factor.enabled")
        )
    }

    /// What was recorded of factors, in order.
    func acts() async throws -> [String] {
        if let memory { return memory.acts.map(\.action) }
        return try await world.acts(of: .installation).map(\.action).filter {
            $0.hasPrefix("factor.") || $0.hasPrefix("recovery.")
        }
    }

    /// What a person was told, in order.
    func notices(of user: UserID) async throws -> [Notice.Kind] {
        if let memory { return memory.notices.filter { $0.user == user }.map(\.notice.kind) }
        return try await world.store.accounts.notices(of: user, limit: 100).map(\.kind).reversed()
    }

    /// Whether a sign-in stands.
    func stands(_ signIn: SignInID, of user: UserID) async throws -> Bool {
        if let memory { return memory.signIns[user, default: []].contains(signIn) }
        return try await world.store.accounts.isActive(signIn, now: World.start)
    }
}

extension World {
    /// Gives a person something of every kind of second factor; master key 1 must be registered.
    func giveFactors(_ person: Person) async throws {
        let (user, own) = (person.user.id, person.user.id.uuidBytes)
        let notice = Notice(.factorEnabled, at: Self.start, address: "192.0.2.1", userAgent: "test")
        #expect(try await store.factors.beginTOTP(user, sealed: .sealed(under: 1), now: Self.start))
        let confirmed = try await store.factors.confirmTOTP(
            user,
            step: 1,
            begunAt: Self.start,
            recoveryHashes: [own + own],
            keeping: nil,
            notice: notice,
            audit: .sample("factor.enabled")
        )
        #expect(confirmed != nil)
        let passkey = Passkey(
            id: PasskeyID(at: Self.start),
            user: user,
            credentialID: own,
            publicKey: [0xa0],
            name: "key",
            transports: [],
            signCount: 0,
            isBackedUp: false,
            createdAt: Self.start
        )
        let added = try await store.passkeys.addPasskey(
            passkey,
            answering: AnsweredChallenge(hash: own + own, expiresAt: Self.start.adding(seconds: 60)),
            recoveryHashes: [],
            keeping: nil,
            notice: notice,
            audit: .sample("factor.enabled")
        )
        #expect(added == .added(tookCodes: false, ended: []))
        _ = try await store.factors.attemptCode(of: user, now: Self.start)
    }
}
