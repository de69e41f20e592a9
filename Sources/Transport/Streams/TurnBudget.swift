/// Bytes that one connection may move before others on its loop get their turn, though it never had to wait.
struct TurnBudget {
    private static let allowance = 256 << 10
    private var spent = 0

    /// Notes bytes that moved without a wait, and tells whether it is time to let others run.
    mutating func spend(_ count: Int) -> Bool {
        spent += count
        guard spent >= Self.allowance else { return false }
        spent = 0
        return true
    }

    /// A wait has let the others run.
    mutating func restore() {
        spent = 0
    }
}
