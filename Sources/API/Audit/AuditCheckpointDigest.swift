import Auth
import Bytes
import Core
import Crypto
import Platform

/// What the file of checkpoints said up to a certain byte: the greatest of each chain, so that a server that is elected reads
/// no more than what was added since.
///
/// It lies beside the file and proves nothing: every checkpoint in it is signed, and one that does not fit its file is passed
/// over, which costs a reading of the whole.
struct AuditCheckpointDigest {
    /// Bytes of the file that it stands for.
    var length: Int64 = 0
    var last: [AuditChain: AuditCheckpoint] = [:]

    private static let title = "errand-audit-digest-1"
    /// Bytes before its end by which a file is known again.
    private static let tail: Int64 = 4_096
    /// A hundred thousand chains and more; of others the whole file is read.
    private static let limit = 64 << 20

    /// Where the digest of a file lies.
    static func path(of file: String) -> String { "\(file).digest" }

    /// Reads the digest of a file; nil without one that fits it and can be read.
    ///
    /// Blocks.
    init?(of file: String, key: AuditPublicKey) {
        guard let bytes = try? Files.readAll(Self.path(of: file), limit: Self.limit) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let words = lines[0].split(separator: " ")
        guard words.count == 3, words[0] == Self.title, let length = Int64(words[1]), length > 0,
            let mark = try? Self.mark(file, length: length, notes: lines.dropFirst().joined(separator: "\n")),
            mark == words[2]
        else { return nil }
        self.length = length
        var reader = AuditCheckpointReader()
        for line in lines.dropFirst() {
            guard let note = reader.add(line) else { continue }
            guard let checkpoint = AuditCheckpoint(note, key: key) else { return nil }
            last[checkpoint.chain] = checkpoint
        }
        guard reader.damaged == 0 else { return nil }
    }

    /// A digest of the first `length` bytes of a file, which hold nothing greater than these.
    init(length: Int64, last: [AuditChain: AuditCheckpoint]) {
        self.length = length
        self.last = last
    }

    /// Puts it beside its file; blocks.
    func write(of file: String) throws {
        let notes = last.values.map { $0.note.description + "\n" }.joined()
        guard notes.utf8.count < Self.limit - 256, let mark = try Self.mark(file, length: length, notes: notes) else {
            return
        }
        try Files.writeAtomically(Self.path(of: file), Array("\(Self.title) \(length) \(mark)\n\(notes)".utf8))
    }

    /// What ties it to its file and to its own whole; nil when the file is shorter.
    private static func mark(_ file: String, length: Int64, notes: String) throws -> String? {
        let opened = try RandomAccessFile(file)
        guard opened.size >= length else { return nil }
        let start = max(0, length - tail)
        let end = try opened.read(at: start, count: Int(length - start))
        return Base64.encode(Digest.sha256(end + Digest.sha256(Array(notes.utf8))))
    }
}
