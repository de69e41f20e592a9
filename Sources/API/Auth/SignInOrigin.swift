import Bytes
import Core
import HTTP
import Platform

extension HTTPRequest {
    /// By what a sign-in is known or new: the kind of client, and the network that it comes from.
    var signInTraits: Set<SignInTrait> {
        var traits: Set<SignInTrait> = [SignInTrait(.client, ClientFamily.of(userAgent: shownUserAgent))]
        if let network = AddressNetwork.of(remoteAddress) { traits.insert(SignInTrait(.network, network)) }
        return traits
    }

    /// What the client calls itself, as much as is kept.
    var shownUserAgent: String { String((headers["user-agent"] ?? "").prefix(200)) }
}

/// The networks that addresses belong to, as far as a provider hands them out to one neighbourhood.
enum AddressNetwork {
    /// The /24 of an IPv4 address or the /48 of an IPv6 one; nil for what is no numeric address.
    static func of(_ address: String) -> String? {
        switch SocketAddress(host: address, port: 0) {
        case .ipv4(let bytes, _):
            return "\(bytes[0]).\(bytes[1]).\(bytes[2]).0/24"
        case .ipv6(let bytes, _):
            // An IPv4 address in the clothes of IPv6 is still one.
            if bytes.prefix(12).elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]) {
                return "\(bytes[12]).\(bytes[13]).\(bytes[14]).0/24"
            }
            let network = Array(bytes.prefix(6)) + [UInt8](repeating: 0, count: 10)
            return SocketAddress.ipv6(network, port: 0).host + "/48"
        case .unix, nil: return nil
        }
    }
}
