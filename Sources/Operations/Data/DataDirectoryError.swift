/// A data directory that cannot be used, with what to do about it.
package struct DataDirectoryError: Error, Hashable, CustomStringConvertible {
    /// What is wrong and what to do.
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
