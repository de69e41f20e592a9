import Core
import Platform
import Testing

@testable import Egress

@Suite struct AddressKindTests {
    private func address(_ host: String) throws -> SocketAddress { try #require(SocketAddress(host: host, port: 443)) }

    @Test(arguments: [
        ("0.0.0.0", AddressKind.unspecified), ("0.255.255.255", .unspecified), ("10.0.0.0", .privateUse),
        ("10.255.255.255", .privateUse), ("100.64.0.0", .shared), ("100.127.255.255", .shared),
        ("127.0.0.1", .loopback), ("127.255.255.255", .loopback), ("169.254.169.254", .linkLocal),
        ("172.16.0.0", .privateUse), ("172.31.255.255", .privateUse), ("192.0.0.1", .reserved),
        ("192.0.2.1", .documentation), ("192.88.99.1", .embedded), ("192.168.0.0", .privateUse),
        ("192.168.255.255", .privateUse), ("198.18.0.0", .benchmark), ("198.19.255.255", .benchmark),
        ("198.51.100.9", .documentation), ("203.0.113.9", .documentation), ("224.0.0.0", .multicast),
        ("239.255.255.255", .multicast), ("240.0.0.0", .reserved), ("255.255.255.255", .reserved),
        ("168.63.129.16", .metadata), ("::", .unspecified), ("::1", .loopback), ("::7f00:1", .embedded),
        ("::ffff:10.0.0.1", .embedded), ("::ffff:8.8.8.8", .embedded), ("64:ff9b::a00:1", .embedded),
        ("64:ff9b:1::1", .embedded), ("2002:a00:1::", .embedded), ("2001:0:a00:1::", .embedded),
        ("2001:db8::1", .documentation), ("2001:1ff::1", .reserved), ("3fff::1", .documentation),
        ("fc00::1", .privateUse), ("fdff::1", .privateUse), ("fe80::1", .linkLocal), ("febf::1", .linkLocal),
        ("fec0::1", .reserved), ("ff02::1", .multicast), ("100::1", .reserved), ("4000::1", .reserved),
    ])
    func `a special address is known for what it is`(host: String, kind: AddressKind) throws {
        #expect(try address(host).specialKind == kind)
    }

    @Test(arguments: [
        "1.0.0.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255",
        "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "168.63.129.15", "2001:200::1", "2600::1",
        "2001:4860:4860::8888", "2003::1", "3ffe::1",
    ])
    func `the addresses beside them are public`(host: String) throws {
        #expect(try address(host).specialKind == nil)
    }

    @Test func `a path is never public`() {
        #expect(SocketAddress.unix(path: "/run/x").specialKind == .local)
    }

    @Test func `one forbidden address among good ones forbids the name`() async throws {
        let (good, bad) = (try address("8.8.8.8"), try address("10.0.0.1"))
        for mixed in [[bad], [good, bad], [bad, good]] {
            let names = VettedNames(.publicOnly) { _, _ in mixed }
            await #expect(throws: ForbiddenAddress(host: "a.example", kind: .privateUse)) {
                try await names.resolve(host: "a.example", port: 443)
            }
            let named = try await VettedNames(.anywhere) { _, _ in mixed }.resolve(host: "a.example", port: 443)
            #expect(named == mixed)
        }
        let passed = try await VettedNames(.publicOnly) { _, _ in [good] }.resolve(host: "a.example", port: 443)
        #expect(passed == [good])
    }

    @Test func `an odd spelling of this machine is found out by its address`() async {
        for spelling in ["127.1", "0x7f.1", "2130706433", "017700000001"] {
            let names = VettedNames(.publicOnly)
            await #expect(throws: ForbiddenAddress.self) { try await names.resolve(host: spelling, port: 443) }
        }
    }
}
