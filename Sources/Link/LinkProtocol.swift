import Bytes

/// The fixed parts of the worker link: two WebSockets per worker, one for control and one for bulk.
///
/// Control carries JSON text frames, bulk carries binary frames; a flood of output on bulk delays no heartbeat. Both
/// are opened with `Authorization: Bearer <worker credential>`.
package enum LinkProtocol {
    /// The WebSocket subprotocol, with the version of the protocol; a peer that does not offer it is refused.
    package static let subprotocol = "errand-link.v1"
    /// The version that `hello` repeats.
    package static let version = 1
    /// Where the control socket is opened.
    package static let controlPath = "/v1/worker-link/control"
    /// Where the bulk socket is opened.
    package static let bulkPath = "/v1/worker-link/bulk"
    /// Where an enrolment token is exchanged for a credential.
    package static let enrolPath = "/v1/worker-link/enrol"

    /// Whether a text is a worker's credential: the prefix and 32 random bytes in base64url.
    package static func isCredential(_ text: String) -> Bool {
        text.hasPrefix(credentialPrefix) && Base64.decodeURL(text.dropFirst(credentialPrefix.count))?.count == 32
    }
    /// What a credential begins with, so that one that leaked somewhere is recognised.
    package static let credentialPrefix = "erw_"

    /// A control frame: one command job at its limits is 2 MiB, of which every byte may be escaped to six.
    package static let controlFrameBytes = 16 << 20
    /// A bulk frame: two records at their limit with their frames, and the header.
    package static let bulkFrameBytes = 1 << 20
    /// Record frames sent in one message, so that jobs that share the socket take turns.
    package static let recordsBytes = 512 << 10
    /// One piece of a workspace: large enough to be cheap, small enough to let records through.
    package static let chunkBytes = 128 << 10
    /// Bytes of records in flight: a second of 4 MB/s at a round trip of one second, and bounded memory at the API.
    package static let recordWindow = 4 << 20
    /// Bytes of one workspace transfer in flight: eight chunks hide the round trip.
    package static let transferWindow = 1 << 20
    /// Attempts named in one message: above the slots of the largest machine.
    package static let attempts = 4_096
    /// Workspaces to be removed that one message names: each may keep a disk busy for a while.
    package static let removals = 64
    /// Ends reported in one message, each of some kilobytes with its texts.
    package static let endsPerMessage = 512
    /// Slots of one worker; a machine with more would rather run two workers.
    package static let slots = 1_024
    /// Texts that people read: a sentence or two.
    package static let textBytes = 4 << 10
    /// Names that an agent gives of itself: its version, its session, its model.
    package static let nameBytes = 256
    /// A base URL or a key: the longest that proxies in front of models take.
    package static let grantBytes = 8 << 10
}

/// The WebSocket close codes of the link, from the range that applications may use.
package enum LinkCloseCode {
    /// The peer sent what the protocol does not allow.
    package static let protocolError: UInt16 = 4400
    /// The credential is unknown or was revoked.
    package static let unauthorized: UInt16 = 4401
    /// The session's epoch is no longer current: open a new one without resuming.
    package static let leaseLost: UInt16 = 4409
    /// This end is shutting down in good order: come back.
    package static let goingAway: UInt16 = 1001
}

/// Why a frame of the link was refused.
package enum LinkErrorCode: String, Sendable {
    case malformed, unknownType = "unknown_type"
    case missingField = "missing_field"
    case invalidField = "invalid_field"
    case unknownField = "unknown_field"
    case tooLarge = "too_large"
}

/// A refusal to take a frame, with the field that broke the rules.
package struct LinkError: Error, Equatable, CustomStringConvertible {
    /// What kind of fault it is.
    package let code: LinkErrorCode
    /// The field by its path, or the type of the message.
    package let field: String

    /// Names a fault.
    package init(_ code: LinkErrorCode, _ field: String) {
        self.code = code
        self.field = field
    }

    package var description: String { "worker link: \(code.rawValue): \(field)" }
}
