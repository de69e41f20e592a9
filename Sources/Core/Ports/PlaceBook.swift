/// Where addresses are, as far as somebody has written it down.
package protocol PlaceBook: Sendable {
    /// The place of a numeric address; nil when it is not known. It may block, so never call it on a loop.
    func place(of address: String) throws -> Place?
}
