import Bytes
import Core
import Testing

@testable import Store

extension DeviceGrant {
    /// A machine that asks at the start of tests.
    static func sample(client: String = "errand") -> DeviceGrant {
        DeviceGrant(
            clientID: client,
            deviceName: "laptop",
            address: "192.0.2.9",
            userAgent: "test",
            createdAt: World.start,
            expiresAt: World.start.adding(DeviceGrantLimits.lifetime)
        )
    }
}

@Suite struct DeviceGrantStoreTests {
    private static let now = World.start.adding(seconds: 10)

    private static func begin(_ world: World) async throws -> (device: [UInt8], code: [UInt8]) {
        let hashes = (device: Family.token(), code: Family.token())
        let isKept = try await world.store.deviceGrants.createDeviceGrant(
            .sample(),
            deviceHash: hashes.device,
            userCodeHash: hashes.code
        )
        try #require(isKept)
        return hashes
    }

    private static func decide(
        _ world: World,
        _ code: [UInt8],
        _ person: Person,
        approves: Bool = true,
        at moment: Timestamp = now,
        on signIn: SignInID? = nil
    ) async throws -> Bool {
        var place = signIn
        if place == nil { place = try await Family(world, person).signIn.id }
        return try await world.store.deviceGrants.decide(
            userCodeHash: code,
            by: person.user.id,
            at: try #require(place),
            isApproved: approves,
            now: moment,
            audit: .sample("device.approved")
        )
    }

    private static func redeem(_ world: World, _ device: [UInt8], _ person: Person) async throws -> SignInID {
        let signIn = SignIn(
            id: SignInID(at: now),
            userID: person.user.id,
            deviceName: "laptop",
            address: "a",
            userAgent: "u",
            createdAt: now,
            lastUsedAt: now,
            expiresAt: now.adding(seconds: 60),
            revokedAt: nil
        )
        try await world.store.accounts.createSignIn(
            signIn,
            credential: .refresh(hash: Family.token()),
            grant: .device(hash: device),
            passwordGeneration: nil,
            traits: [],
            notice: nil,
            audit: [.sample("sign_in.opened")]
        )
        return signIn.id
    }

    @Test func `a confirmed device becomes one sign-in, of whoever confirmed it, and nothing else does`() async throws {
        try await withWorld { world in
            let (person, other) = (try await world.person(), try await world.person())
            let grants = world.store.deviceGrants
            let (device, code) = try await Self.begin(world)
            #expect(try await grants.deviceGrant(userCodeHash: code, now: Self.now) == .sample())
            await #expect(throws: StoreError.notFound) { _ = try await Self.redeem(world, device, person) }
            #expect(try await grants.pollDevice(hash: device, client: "errand", now: Self.now) == .pending)
            #expect(try await Self.decide(world, code, person))
            #expect(try await !Self.decide(world, code, other))
            #expect(try await grants.deviceGrant(userCodeHash: code, now: Self.now) == nil)
            let later = Self.now.adding(seconds: 5)
            #expect(
                try await grants.pollDevice(hash: device, client: "errand", now: later)
                    == .approved(person.user.id, deviceName: "laptop")
            )
            await #expect(throws: StoreError.notFound) { _ = try await Self.redeem(world, device, other) }
            let signIn = try await Self.redeem(world, device, person)
            #expect(try await world.store.accounts.isActive(signIn, now: Self.now))
            await #expect(throws: StoreError.notFound) { _ = try await Self.redeem(world, device, person) }
            #expect(try await grants.pollDevice(hash: device, client: "errand", now: later) == .unknown)
            let opened = try await world.store.audit.stored(AuditChain(nil), after: .start, limit: 1_000)
                .count { $0.action == "sign_in.opened" }
            // One of each browser that answered, and one of the device.
            #expect(opened == 3)
        }
    }

    @Test func `a confirmation counts from a sign-in of one's own that stands, and ends with the account`() async throws
    {
        try await withWorld { world in
            let (person, other) = (try await world.person(), try await world.person())
            let (accounts, grants) = (world.store.accounts, world.store.deviceGrants)
            let (device, code) = try await Self.begin(world)
            let (ended, foreign) = (try await Family(world, person).signIn.id, try await Family(world, other).signIn.id)
            try await accounts.revoke(ended, now: Self.now, audit: .sample("sign_in.revoked"))
            #expect(try await !Self.decide(world, code, person, on: ended))
            #expect(try await !Self.decide(world, code, person, on: foreign))
            #expect(try await grants.pollDevice(hash: device, client: "errand", now: Self.now) == .pending)
            #expect(try await Self.decide(world, code, person))
            for isDisabled in [true, false] {
                #expect(try await accounts.setDisabled(person.user.id, isDisabled, audit: .sample("user.disabled")))
            }
            let later = Self.now.adding(seconds: 60)
            #expect(try await grants.pollDevice(hash: device, client: "errand", now: later) == .unknown)
            await #expect(throws: StoreError.notFound) { _ = try await Self.redeem(world, device, person) }
        }
    }

    private static func begins(_ world: World, at address: String) async throws -> Bool {
        var grant = DeviceGrant.sample()
        grant.address = address
        return try await world.store.deviceGrants.createDeviceGrant(
            grant,
            deviceHash: Family.token(),
            userCodeHash: Family.token()
        )
    }

    @Test func `the devices that wait at one address leave room for those at others`() async throws {
        try await withWorld { world in
            let most = DeviceGrantLimits.waitingAtOneAddress
            var begun = 0
            for number in 0..<most where try await Self.begins(world, at: "2001:db8:5:5::" + String(number, radix: 16))
            {
                begun += 1
            }
            #expect(begun == most)
            var others: [Bool] = []
            for address in ["2001:db8:5:5:ffff::1", "2001:db8:5:6::1", "198.51.100.77"] {
                others.append(try await Self.begins(world, at: address))
            }
            #expect(others == [false, true, true])
        }
    }

    @Test func `what is refused, late, another client's or unknown is told apart where it may be`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let grants = world.store.deviceGrants
            let (refused, refusedCode) = try await Self.begin(world)
            #expect(try await Self.decide(world, refusedCode, person, approves: false))
            #expect(try await grants.pollDevice(hash: refused, client: "errand", now: Self.now) == .refused)
            let (late, lateCode) = try await Self.begin(world)
            let end = World.start.adding(DeviceGrantLimits.lifetime)
            #expect(try await !Self.decide(world, lateCode, person, at: end))
            #expect(try await grants.deviceGrant(userCodeHash: lateCode, now: end) == nil)
            #expect(try await grants.pollDevice(hash: late, client: "errand", now: end) == .expired)
            #expect(try await grants.pollDevice(hash: late, client: "other", now: Self.now) == .unknown)
            #expect(try await grants.pollDevice(hash: Family.token(), client: "errand", now: Self.now) == .unknown)
        }
    }

    @Test func `a device that asks too soon waits longer each time, and a clock set back holds nobody up`() async throws
    {
        try await withWorld { world in
            let grants = world.store.deviceGrants
            let (device, _) = try await Self.begin(world)
            func poll(_ seconds: Int) async throws -> DevicePoll {
                try await grants.pollDevice(hash: device, client: "errand", now: World.start.adding(seconds: seconds))
            }
            #expect(try await poll(10) == .pending)
            #expect(try await poll(12) == .slowDown)
            #expect(try await poll(20) == .slowDown)
            #expect(try await poll(35) == .pending)
            #expect(try await poll(5) == .pending)
        }
    }

    @Test func `a user code is one device's at a time, and as many wait as may`() async throws {
        try await withWorld { world in
            let (_, code) = try await Self.begin(world)
            await #expect(throws: StoreError.conflict(field: "user_code")) {
                _ = try await world.store.deviceGrants.createDeviceGrant(
                    .sample(),
                    deviceHash: Family.token(),
                    userCodeHash: code
                )
            }
            _ = try await Self.begin(world)
        }
    }
}
