/// The disk space that all spools of a worker share; loop-confined.
final class SpoolBudget {
    /// Bytes that all spools together may take.
    let limit: Int
    private(set) var used = 0

    /// Shares `limit` bytes.
    init(limit: Int) { self.limit = limit }

    /// Takes space for bytes that are about to be kept; false when there is none left.
    func take(_ bytes: Int) -> Bool {
        guard used + bytes <= limit else { return false }
        used += bytes
        return true
    }

    /// Counts bytes that are there already, whatever the limit says.
    func adopt(_ bytes: Int) { used += bytes }

    /// Gives space back.
    func free(_ bytes: Int) { used -= bytes }
}
