/// A letter in the form in which it leaves.
package struct OutgoingLetter: Sendable, Equatable {
    package var recipient: String
    /// Header fields of a request; a mail has its own inside.
    package var fields: [(name: String, value: String)]
    package var bytes: [UInt8]

    /// Describes what leaves.
    package init(recipient: String, fields: [(name: String, value: String)] = [], bytes: [UInt8]) {
        self.recipient = recipient
        self.fields = fields
        self.bytes = bytes
    }

    package static func == (left: OutgoingLetter, right: OutgoingLetter) -> Bool {
        left.recipient == right.recipient && left.bytes == right.bytes
            && left.fields.elementsEqual(right.fields) { $0.name == $1.name && $0.value == $1.value }
    }
}

/// What the receiver did with a letter.
package enum Carriage: Sendable, Equatable {
    /// It has it; what it said.
    case taken(String)
    /// It does not want it, now or later; what it said.
    case refused(String)
    /// It was not reached, or cannot take it now.
    case failed(String)
}

/// Takes letters out of the installation, each within bounded time; loop-confined.
package protocol LetterCarrier: AnyObject {
    /// Hands one letter over.
    func carry(_ letter: OutgoingLetter) async -> Carriage
}
