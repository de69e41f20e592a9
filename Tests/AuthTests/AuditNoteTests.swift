import Auth
import Bytes
import Core
import Crypto
import Testing

@Suite struct AuditNoteTests {
    /// The key and note that the documentation of Go's `sumdb/note` shows.
    private static let knownKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    private static let knownNote = """
        If you think cryptography is the answer to your problem,
        then you don't know what your problem is.

        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=

        """

    @Test func `a note of another implementation verifies`() throws {
        let key = try #require(NoteVerifier(Self.knownKey))
        #expect(key.description == Self.knownKey)
        let note = try #require(SignedNote(Self.knownNote))
        #expect(note.isSigned(by: key) && note.description == Self.knownNote)
        let changed = try #require(SignedNote(Self.knownNote.replacing("cryptography", with: "cryptographx")))
        #expect(!changed.isSigned(by: key))
    }

    @Test(arguments: [
        "", "\n", "text\n", "text\n\n", "text\n\n— name AAAAAAA=", "text\n\nname AAAAAAA=\n", "text\n\n— name\n",
        "text\n\n— na+me AAAAAAA=\n", "text\n\n—  AAAAAAA=\n", "text\n\n— name AAAA\n",
        "te\u{7}xt\n\n— name AAAAAAA=\n",
        "text\r\n\r\n— name AAAAAAA=\r\n", "\n— name AAAAAAA=\n", "text\n\n— name not base64\n",
    ]) func `what is no note is refused`(text: String) {
        #expect(SignedNote(text) == nil)
        #expect(SignedNote("text\n\n— name AAAAAAA=\n") != nil)
    }

    @Test(arguments: [
        "name", "name+c74f20a3", "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "peterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "PeterNeumann+c74f20a3+ARpc",
    ]) func `what is no key is refused`(text: String) {
        #expect(NoteVerifier(text) == nil)
    }

    @Test func `a checkpoint has the three lines of its form, signed under its origin`() throws {
        let fixture = try AuditChainFixture(3, signed: [3])
        let checkpoint = try #require(fixture.checkpoints.first)
        let lines = checkpoint.note.text.split(separator: "\n").map(String.init)
        #expect(lines == ["errand.test/audit/\(fixture.chain)", "3", Base64.encode(checkpoint.root)])
        #expect(checkpoint.note.signatures.map(\.name) == [lines[0]])
        let key = try #require(fixture.key.publicKey)
        #expect(AuditCheckpoint(checkpoint.note.description, key: key) == checkpoint)
        #expect(AuditPublicKey(key.description)?.description == key.description)
        let verifier = try #require(key.verifier(of: fixture.chain))
        #expect(NoteVerifier(verifier.description)?.key.raw == verifier.key.raw)
        // A witness's signature beside ours is passed over.
        let cosigned = checkpoint.note.description + "— witness.example AAAAAAAA\n"
        #expect(AuditCheckpoint(cosigned, key: key)?.root == checkpoint.root)
    }

    @Test func `a checkpoint that was touched is none`() throws {
        let fixture = try AuditChainFixture(12, signed: [12])
        let key = try #require(fixture.key.publicKey)
        let note = try #require(fixture.checkpoints.first).note.description
        #expect(AuditCheckpoint(note, key: key) != nil)
        for (from, to) in [
            ("\n12\n", "\n13\n"), ("\n12\n", "\n012\n"), ("\n12\n", "\n+12\n"), ("errand.test", "errand.tesu"),
            ("=\n\n", "=\nextension\n\n"), ("— ", "- "),
        ] {
            #expect(AuditCheckpoint(note.replacing(from, with: to), key: key) == nil, "\(from) to \(to)")
        }
        for place in note.utf8.indices where note.utf8[place] != 0x0a {
            var bytes = Array(note.utf8)
            bytes[note.utf8.distance(from: note.utf8.startIndex, to: place)] ^= 1
            #expect(AuditCheckpoint(String(decoding: bytes, as: UTF8.self), key: key)?.size != 13)
            #expect(AuditCheckpoint(String(decoding: bytes, as: UTF8.self), key: key) == nil)
        }
    }

    @Test func `the stored key comes back as it was, and no other document is taken for it`() throws {
        let key = try AuditKey(host: "errand.test", at: AuditChainFixture.start)
        let again = try AuditKey(document: key.document())
        #expect(again.publicKey?.description == key.publicKey?.description && again.name == "errand.test/audit")
        for text in ["", "{}", #"{"version":2}"#, #"{"version":1,"seed":"AA"}"#] {
            #expect(throws: AuditKeyError.self) { _ = try AuditKey(document: Array(text.utf8)) }
        }
        #expect(throws: (any Error).self) { _ = try AuditKey(host: "a b", at: AuditChainFixture.start) }
    }

    @Test func `a file of notes is taken apart, whatever a crash left in it`() throws {
        let fixture = try AuditChainFixture(6, signed: [1, 2, 3, 4, 5, 6])
        let notes = fixture.checkpoints.map(\.note.description)
        func read(_ text: String) -> (notes: [String], damaged: Int) {
            var reader = AuditCheckpointReader()
            var found: [String] = []
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                if let note = reader.add(line) { found.append(note) }
            }
            if let note = reader.finish() { found.append(note) }
            return (found, reader.damaged)
        }
        #expect(read("") == ([], 0))
        #expect(read(notes.joined(separator: "\n")) == (notes, 0))
        #expect(read(notes.map { $0 + "\n" }.joined()) == (notes, 0))
        let first = notes[0].utf8.count
        for cut in 1..<first - 1 {
            let torn = String(decoding: notes[0].utf8.prefix(cut), as: UTF8.self)
            let found = read(torn + "\n\n" + notes[1] + "\n" + notes[2])
            #expect(found.notes.suffix(2) == [notes[1], notes[2]], "cut at \(cut)")
        }
    }
}
