/// A text that no description, log line or listing shows.
package struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    /// Hides a text.
    package init(_ text: String) {
        self.text = text
    }

    /// The text itself, for the one place that needs it.
    package func reveal() -> String { text }

    /// Stars, whatever the text is.
    package var description: String { "****" }
    /// Stars, whatever the text is.
    package var debugDescription: String { "****" }
    /// Shows nothing to reflection, by which `dump` would print the text.
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
