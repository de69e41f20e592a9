import Bytes

/// A secret in the clear, which no description, log line or reflection shows.
package struct ClearSecret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Longer ones are files, which belong elsewhere.
    package static let limit = 64 << 10

    private let bytes: [UInt8]

    /// Hides bytes.
    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Hides a text.
    package init(_ text: String) {
        bytes = [UInt8](text.utf8)
    }

    /// The bytes themselves, for the one place that needs them.
    package func reveal() -> [UInt8] { bytes }

    /// The text itself; nil when the bytes are none.
    package func revealText() -> String? { String(strictUTF8: bytes) }

    /// Stars, whatever the secret is.
    package var description: String { "****" }
    /// Stars, whatever the secret is.
    package var debugDescription: String { "****" }
    /// Shows nothing to reflection, by which `dump` would print the bytes.
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
