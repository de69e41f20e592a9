import Bytes
package import Core
import Crypto

/// A signed root of a chain's tree, in C2SP's checkpoint form: origin, size and root, one a line.
package struct AuditCheckpoint: Sendable, Equatable {
    package let chain: AuditChain
    /// How many entries the tree has.
    package let size: UInt64
    package let root: [UInt8]
    package let note: SignedNote

    init(chain: AuditChain, size: UInt64, root: [UInt8], note: SignedNote) {
        self.chain = chain
        self.size = size
        self.root = root
        self.note = note
    }

    /// Reads a note that this log signed; nil for another log's, for a forged one, and for what is no checkpoint.
    package init?(_ text: some StringProtocol, key: AuditPublicKey) {
        guard let note = SignedNote(text) else { return nil }
        let lines = note.text.split(separator: "\n", omittingEmptySubsequences: false)
        // Extension lines are nobody's to check, so there are none.
        guard lines.count == 4, lines[3].isEmpty, let chain = key.chain(origin: lines[0]),
            let verifier = key.verifier(of: chain), note.isSigned(by: verifier),
            let size = UInt64(lines[1]), size > 0, String(size) == lines[1],
            let root = Base64.decode(lines[2]), root.count == MerkleTree.hashLength
        else { return nil }
        self.init(chain: chain, size: size, root: root, note: note)
    }

    /// A chain's name in checkpoints.
    static func origin(_ log: String, _ chain: AuditChain) -> String { "\(log)/\(chain)" }

    static func text(origin: String, size: UInt64, root: [UInt8]) -> String {
        "\(origin)\n\(size)\n\(Base64.encode(root))\n"
    }
}

/// Takes a file of checkpoints apart: notes one after the other, an empty line behind each.
///
/// What a crash left half-written is passed over and counted.
package struct AuditCheckpointReader {
    private var lines: [Substring] = []
    private var hasText = false
    /// Lines of a note with all its signatures; more without an empty line is none.
    private static let longest = 100
    /// Pieces that are no note.
    package private(set) var damaged = 0

    /// A reader at the file's beginning.
    package init() {}

    /// Takes the next line, and gives the note that it ends.
    package mutating func add(_ line: Substring) -> String? {
        let isSignature = line.hasPrefix("\u{2014} ")
        guard !line.isEmpty else {
            if hasText, lines.last?.isEmpty == false { return finish() }
            if lines.last?.isEmpty == false {
                hasText = true
                lines.append(line)
            }
            return nil
        }
        // Behind the empty line only signatures follow: anything else begins another note.
        if hasText && !isSignature || lines.count > Self.longest { drop() }
        lines.append(line)
        return nil
    }

    /// Gives the note that the end of the file ends.
    package mutating func finish() -> String? {
        guard hasText, lines.last?.isEmpty == false else {
            drop()
            return nil
        }
        defer { reset() }
        return lines.joined(separator: "\n") + "\n"
    }

    private mutating func drop() {
        if !lines.isEmpty { damaged += 1 }
        reset()
    }

    private mutating func reset() {
        lines = []
        hasText = false
    }
}
