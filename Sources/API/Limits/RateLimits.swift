import Auth
import Bytes
import Core
import HTTP
import Platform

/// The rate limits of one loop: whose buckets a request is charged in.
///
/// A signed-in request is charged to its person, device and kind and never to its address, so that one bad client does
/// not block an office; what comes without a person is charged to its address.
final class RateLimits {
    /// Devices that one loop keeps in mind, about 1.5 KiB each.
    private static let devices = 8_192
    /// Addresses without a person, about 1 KiB each: forgetting them costs a question to the shared buckets.
    private static let addresses = 16_384

    private let settings: RateSettings
    let gate: RateGate
    private let all: RateBucket
    private let clock: () -> Int64
    private var people: Generations<ActingAccount, RateBucket>
    private var signedIn: Generations<Standing, [RateCharges]>
    private var strangers: Generations<AddressBlock, StrangerCharges>
    private var networks: Generations<AddressBlock, NetworkBuckets>
    private var known: Generations<[UInt8], RateCharges>
    private let userCodes: RateCharges

    init(_ settings: RateSettings, _ shared: any SharedBuckets, loop: EventLoop, clock: (() -> Int64)? = nil) {
        let clock = clock ?? { [loop] in Int64(clamping: loop.now.nanoseconds / 1_000) }
        self.settings = settings
        self.clock = clock
        gate = RateGate(shared, loop: loop, clock: clock)
        all = RateBucket("all", "loop", settings.all)
        people = Generations(capacity: Self.devices)
        signedIn = Generations(capacity: Self.devices)
        strangers = Generations(capacity: Self.addresses)
        networks = Generations(capacity: Self.addresses)
        known = Generations(capacity: Self.devices)
        userCodes = RateCharges([RateBucket("user-code", "all", settings.userCodes)], isStrict: true)
    }

    /// How many devices and addresses are kept in mind.
    var count: Int { signedIn.count + strangers.count }

    /// Refuses a request when this loop as a whole has had its share.
    func admitAny() throws(ProblemError) {
        let now = clock()
        guard all.judge(at: now).isAllowed else {
            throw ProblemError(.overloaded("The server has all the requests it can take."))
        }
        all.charge(1, at: now)
    }

    /// Charges a signed-in request.
    func take(_ principal: Principal, _ kind: RouteClass) async -> RateVerdict {
        await gate.take(charges(principal.account, principal.standing)[kind.rawValue])
    }

    /// Charges a request of nobody that is known.
    func take(address: String, _ kind: RouteClass) async -> RateVerdict {
        await gate.take(charges(address, kind))
    }

    /// Charges a try of a secret to the device that it comes from, whatever others do at its address.
    func take(device: KnownDevice) async -> RateVerdict {
        await gate.take(
            known.value(device.device) {
                let bucket = RateBucket("sign-in-device", Hex.encode(device.device), settings.signInDevice)
                return RateCharges([bucket], isStrict: true)
            }
        )
    }

    /// Charges a try of a device's user code, whoever tries, to the whole installation.
    func takeUserCode() async throws(ProblemError) {
        let verdict = await gate.take(userCodes)
        guard verdict.isAllowed else { throw ProblemError(.rateLimited(verdict)) }
    }

    /// Gives back a try of a user code that was right.
    func giveBackUserCode() { gate.settle(userCodes, -1) }

    private func charges(_ account: ActingAccount, _ device: Standing) -> [RateCharges] {
        signedIn.value(device) {
            let name = account.description
            let person = people.value(account) { RateBucket("person", name, settings.person) }
            let own = RateBucket("device", device.description, settings.device)
            return RouteClass.allCases.map { kind in
                // Guesses of a secret are each device's own: a stolen token must not keep its owner from a change.
                let owner = kind == .auth ? device.description : name
                let bucket = settings.kind(kind).map { RateBucket($0.name, owner, $0) }
                return RateCharges([person, own] + (bucket.map { [$0] } ?? []), isStrict: kind == .auth)
            }
        }
    }

    private func charges(_ address: String, _ kind: RouteClass) -> RateCharges {
        let block = AddressBlock(address)
        let known = strangers.value(block) {
            let site = block.aggregate.map { site in
                networks.value(site) { NetworkBuckets(site.text, settings) }
            }
            return StrangerCharges(block.text, site, settings)
        }
        return kind == .auth ? known.signIn : known.any
    }
}

/// What an address without a person is charged.
private final class StrangerCharges {
    let any: RateCharges
    let signIn: RateCharges

    init(_ address: String, _ site: NetworkBuckets?, _ settings: RateSettings) {
        any = RateCharges([RateBucket("address", address, settings.address)] + (site.map { [$0.any] } ?? []))
        signIn = RateCharges(
            [RateBucket("sign-in", address, settings.signIn)] + (site.map { [$0.signIn] } ?? []),
            isStrict: true
        )
    }
}

/// What all addresses of a site are charged together.
private final class NetworkBuckets {
    let any: RateBucket
    let signIn: RateBucket

    init(_ site: String, _ settings: RateSettings) {
        any = RateBucket("network", site, settings.network)
        signIn = RateBucket("sign-in-network", site, settings.signInNetwork)
    }
}
