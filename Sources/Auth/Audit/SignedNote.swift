import Bytes
package import Crypto

/// A text with signatures in the form of C2SP's signed-note: the text, an empty line, a line for each signature.
package struct SignedNote: Sendable, Equatable {
    /// One signature line.
    package struct Signature: Sendable, Equatable {
        package let name: String
        /// Tells keys of one name apart.
        package let keyID: UInt32
        package let bytes: [UInt8]
    }

    /// What is signed, with its final line break.
    package let text: String
    package let signatures: [Signature]

    /// More than a log and its witnesses need; the limit that the form itself asks to have.
    private static let maximumSignatures = 64
    private static let dash = "\u{2014} "

    /// A text signed by one key.
    package init(text: String, key: NoteSigningKey) throws(CryptoError) {
        self.text = text
        let signature = try key.key.sign([UInt8](text.utf8))
        signatures = [Signature(name: key.verifier.name, keyID: key.verifier.keyID, bytes: signature)]
    }

    /// Reads a note; nil for what is none.
    package init?(_ note: some StringProtocol) {
        guard note.hasSuffix("\n"), note.utf8.allSatisfy({ $0 >= 0x20 || $0 == 0x0a }) else { return nil }
        let lines = note.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        guard let blank = lines.lastIndex(of: ""), blank > lines.startIndex else { return nil }
        var signatures: [Signature] = []
        for line in lines[(blank + 1)...] {
            guard let signature = Self.signature(line) else { return nil }
            signatures.append(signature)
        }
        guard (1...Self.maximumSignatures).contains(signatures.count) else { return nil }
        text = lines[..<blank].joined(separator: "\n") + "\n"
        self.signatures = signatures
    }

    private static func signature(_ line: some StringProtocol) -> Signature? {
        guard line.hasPrefix(dash) else { return nil }
        let words = line.dropFirst(dash.count).split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 2, NoteVerifier.isName(words[0]), let bytes = Base64.decode(words[1]), bytes.count > 4
        else {
            return nil
        }
        return Signature(
            name: String(words[0]),
            keyID: bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) },
            bytes: Array(bytes.dropFirst(4))
        )
    }

    /// The whole note.
    package var description: String {
        var note = text + "\n"
        for signature in signatures {
            var bytes: [UInt8] = []
            bytes.appendBigEndian(signature.keyID)
            note += "\(Self.dash)\(signature.name) \(Base64.encode(bytes + signature.bytes))\n"
        }
        return note
    }

    /// Whether the key signed the text; false also when one of several signatures that claim to be the key's is not.
    package func isSigned(by key: NoteVerifier) -> Bool {
        let own = signatures.filter { $0.name == key.name && $0.keyID == key.keyID }
        return !own.isEmpty && own.allSatisfy { key.key.verifies(signature: $0.bytes, of: [UInt8](text.utf8)) }
    }
}

/// A public key with the name under which it signs notes.
package struct NoteVerifier: Sendable, CustomStringConvertible {
    package let name: String
    package let key: Ed25519PublicKey

    /// Ed25519 over the note's text.
    private static let algorithm: UInt8 = 0x01

    /// Names a key; nil when the name could not stand in a signature line.
    package init?(name: String, key: Ed25519PublicKey) {
        guard Self.isName(name) else { return nil }
        self.name = name
        self.key = key
    }

    /// Reads the form `name+hash+base64`.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let bytes = Base64.decode(parts[2]), bytes.first == Self.algorithm,
            let key = try? Ed25519PublicKey(raw: Array(bytes.dropFirst()))
        else { return nil }
        self.init(name: String(parts[0]), key: key)
        guard parts[1] == keyHash else { return nil }
    }

    /// The number that stands before a signature.
    package var keyID: UInt32 {
        let named = [UInt8](name.utf8) + [0x0a, Self.algorithm] + key.raw
        return Digest.sha256(named).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    package var description: String { "\(name)+\(keyHash)+\(Base64.encode([Self.algorithm] + key.raw))" }

    private var keyHash: String {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(keyID)
        return Hex.encode(bytes)
    }

    static func isName(_ name: some StringProtocol) -> Bool {
        !name.isEmpty && name.utf8.count <= 256
            && name.unicodeScalars.allSatisfy { $0 != "+" && $0.value > 0x20 && !$0.properties.isWhitespace }
    }
}

/// A key that signs notes under a name.
package struct NoteSigningKey: Sendable {
    let key: Ed25519PrivateKey
    package let verifier: NoteVerifier

    /// Names a key; nil when the name could not stand in a signature line.
    package init?(name: String, key: Ed25519PrivateKey) {
        guard let verifier = NoteVerifier(name: name, key: key.publicKey) else { return nil }
        self.key = key
        self.verifier = verifier
    }
}
