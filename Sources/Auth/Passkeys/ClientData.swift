import Bytes
import Crypto

/// What the browser says about a ceremony (WebAuthn, section 5.8.1): which one, for which challenge, on which page.
package struct ClientData: Sendable {
    /// The two ceremonies.
    package enum Ceremony: String, Sendable {
        case registration = "webauthn.create"
        case assertion = "webauthn.get"
    }

    /// The ceremony; nil for one that is not known here.
    package let ceremony: Ceremony?
    /// The challenge that was signed over.
    package let challenge: [UInt8]
    /// The page's origin.
    package let origin: String
    /// Whether the page was framed by another site's.
    package let isCrossOrigin: Bool
    /// SHA-256 of the text, which the authenticator signs.
    package let hash: [UInt8]

    /// Ours are a third of it; members that browsers add later have room.
    package static let maximumLength = 8 << 10

    /// Reads the text; members that are not known are passed over, as the specification demands.
    package init(_ json: [UInt8]) throws(PasskeyError) {
        guard json.count <= Self.maximumLength, let members = (try? JSONReader.parse(json))?.object,
            let type = members["type"]?.string, let origin = members["origin"]?.string,
            let challenge = members["challenge"]?.string.flatMap({ Base64.decodeURL($0) })
        else { throw .clientData }
        if let crossOrigin = members["crossOrigin"], crossOrigin.bool == nil { throw .clientData }
        if let binding = members["tokenBinding"], !binding.isNull {
            guard binding["status"]?.string == "supported" else { throw .tokenBinding }
        }
        ceremony = Ceremony(rawValue: type)
        self.challenge = challenge
        self.origin = origin
        isCrossOrigin = members["crossOrigin"]?.bool == true || members["topOrigin"] != nil
        hash = Digest.sha256(json)
    }
}
