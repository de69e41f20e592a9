import Bytes
import Core
import HTTP
import Testing

@testable import API

@Suite struct NewDeviceTests {
    private static let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36"
    private static let newer = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150.0 Safari/537.36"

    @Test func `a sign-in with a new kind of client or from a new network is recorded and told; the first is not`()
        async throws
    {
        try await withAPI { world in
            let person = try await world.person()
            // The same client from the same network is nobody new, whatever its version and last number.
            let signIns: [(agent: String, address: String, isNew: Bool)] = [
                (Self.chrome, "192.0.2.1", false), (Self.newer, "192.0.2.200", false),
                ("curl/8.5.0", "192.0.2.7", true), (Self.chrome, "198.51.100.4", true),
                ("curl/9.0", "198.51.100.99", false), (Self.chrome, "2001:db8:1:2::3", true),
                (Self.chrome, "2001:db8:1:ffff::9", false), (Self.chrome, "::ffff:192.0.2.50", false),
                ("", "192.0.2.1", true),
            ]
            var told = 0
            for (agent, address, isNew) in signIns {
                world.time.advance(by: .seconds(60))
                let tokens = try await world.signIn(person, device: "d", address: address, userAgent: agent)
                told += isNew ? 1 : 0
                let acts = try await world.acts().suffix(2).map(\.action)
                #expect((acts.last == "sign_in.new_device") == isNew, "\(agent) \(address)")
                #expect(acts.contains("sign_in.opened"))
                let notices = try await world.send(.get, "/v1/me/notices", token: tokens.access)
                let items = try #require(notices.json["items"]?.array)
                #expect(items.count == told, "\(agent) \(address)")
                if isNew {
                    #expect(items.first?["kind"]?.string == "new_device")
                    #expect(items.first?["address"]?.string == address && items.first?["user_agent"]?.string == agent)
                }
            }
        }
    }

    @Test func `a new country and a journey that nobody can have made are recorded and told, and refuse nobody`()
        async throws
    {
        try await withAPI { world in
            world.places = Atlas()
            let replica = world.addReplica()
            let person = try await world.person()
            // Where, how long after the one before, and what is recorded besides the sign-in.
            let signIns: [(address: String, after: Int, told: [String])] = [
                ("192.0.2.1", 0, []), ("192.0.2.2", 60, []),
                ("198.51.100.1", 600, ["sign_in.new_device", "sign_in.impossible_speed"]),
                ("192.0.2.1", 100_000, []), ("198.51.100.1", 600, ["sign_in.impossible_speed"]),
                // An address that nobody knows the place of is no journey.
                ("203.0.113.1", 60, ["sign_in.new_device"]), ("192.0.2.1", 60, []),
            ]
            for (address, seconds, told) in signIns {
                world.time.advance(by: .seconds(seconds))
                let before = try await world.acts().count
                _ = try await world.signIn(person, address: address, userAgent: "errand/1", replica: replica)
                let acts = try await world.acts()
                #expect(acts.dropFirst(before).map(\.action) == ["sign_in.opened"] + told, "\(address)")
            }
        }
    }

    /// Berlin, Sydney, and nothing else.
    private struct Atlas: PlaceBook {
        func place(of address: String) throws -> Place? {
            if address.hasPrefix("192.0.2.") {
                return Place(country: "DE", position: Position(latitude: 52.5, longitude: 13.4))
            }
            guard address.hasPrefix("198.51.100.") else { throw StoreError.notFound }
            return Place(country: "AU", position: Position(latitude: -33.9, longitude: 151.2))
        }
    }

    @Test func `what one person uses is new for another, and notices are one's own`() async throws {
        try await withAPI { world in
            let (one, two) = (try await world.person(), try await world.person())
            _ = try await world.signIn(one, userAgent: "curl/8")
            _ = try await world.signIn(two, userAgent: "errand/1")
            let tokens = try await world.signIn(two, userAgent: "curl/8")
            #expect(try await world.acts().last?.action == "sign_in.new_device")
            let mine = try await world.send(.get, "/v1/me/notices", token: tokens.access)
            #expect(mine.json["items"]?.array?.count == 1)
            let theirs = try await world.send(.get, "/v1/me/notices", token: try await world.device(of: one).token)
            #expect(theirs.json["items"]?.array?.isEmpty == true)
        }
    }

    @Test(arguments: [
        ("192.0.2.77", "192.0.2.0/24"), ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("::1", "::/48"), ("2001:DB8::", "2001:db8::/48"), ("unix", nil), ("", nil), ("192.0.2", nil),
    ])
    func `a network is the first three numbers of an address`(address: String, network: String?) {
        #expect(AddressNetwork.of(address) == network)
    }
}
