package import Core
package import Crypto

/// Why a secret was not sealed or opened; never with a key or a text in it.
package enum SealError: Error, Equatable, CustomStringConvertible {
    /// Shorter or longer than anything that was ever sealed.
    case malformed
    /// Written by a later version of this program.
    case unknownVersion(UInt8)
    /// The ring has not the master key that it needs.
    case unknownMasterKey(MasterKeyID)
    /// The data key does not come out: the wrap was altered, or it belongs to another place.
    case wrapNotAuthentic
    /// The text does not come out: it was altered, or it belongs to another place.
    case textNotAuthentic
    /// More than is ever sealed.
    case tooLong
    /// The library refused.
    case failed(CryptoError)

    package var description: String {
        switch self {
        case .malformed: "sealed secret: it has not the length of one"
        case .unknownVersion(let version): "sealed secret: version \(version) is not known here"
        case .unknownMasterKey(let id): "sealed secret: the master key \(id) is not in the key file"
        case .wrapNotAuthentic: "sealed secret: its key was altered or belongs to another row"
        case .textNotAuthentic: "sealed secret: it was altered or belongs to another row"
        case .tooLong: "sealed secret: more than \(ClearSecret.limit) bytes"
        case .failed(let error): "sealed secret: \(error)"
        }
    }
}
