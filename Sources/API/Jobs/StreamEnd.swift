import Bytes

/// Why a stream ends though its job goes on.
enum StreamEnd {
    /// The sign-in behind it was revoked.
    case revoked
    /// The access token behind it has expired.
    case expired
    /// The token that the client sent to keep it open is no good, or another person's.
    case refused
    /// The person is not in the job's team any more.
    case departed

    /// The stable code that programs test.
    var code: String {
        switch self {
        case .revoked: "revoked"
        case .expired: "token_expired"
        case .refused: "token_refused"
        case .departed: "not_member"
        }
    }

    /// What people are told.
    var text: String {
        switch self {
        case .revoked: "the sign-in was revoked"
        case .expired: "the access token has expired: come again with a new one"
        case .refused: "the token of the auth message is not valid here"
        case .departed: "you are not in the job's team any more"
        }
    }

    /// How a WebSocket is closed for it.
    var closeCode: UInt16 {
        switch self {
        case .revoked, .expired, .refused: StreamCloseCode.unauthenticated
        case .departed: StreamCloseCode.forbidden
        }
    }

    /// The data of the last server-sent event.
    var encoded: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("type", "end")
        writer.member("code", code)
        writer.member("message", text)
        writer.endObject()
        return writer.bytes
    }
}

/// How a stream's WebSocket closes.
enum StreamCloseCode {
    /// The job is final and everything was sent.
    static let ended: UInt16 = 1000
    /// An `auth` message came while another was being checked.
    static let impatient: UInt16 = 1008
    /// Come back with the last position.
    static let tryAgain: UInt16 = 1013
    /// Nobody's right to the stream is left: come back with a new token.
    static let unauthenticated: UInt16 = 4401
    /// The person may not see the job any more: no token helps.
    static let forbidden: UInt16 = 4403
}

/// A stream that lasts no longer than somebody's right to it.
protocol LiveStream: AnyObject {
    /// Whose right it is now.
    var principal: Principal { get }

    /// Ends the stream.
    func cut(_ end: StreamEnd)
}
