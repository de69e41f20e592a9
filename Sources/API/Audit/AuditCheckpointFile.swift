package import Auth
import Bytes
package import Core
import Platform

/// The file that every checkpoint is appended to before anything else is told of it.
///
/// It is what a copy elsewhere is made from, and what a database that was set back is found out by.
package struct AuditCheckpointFile: Sendable {
    package let path: String
    private let stride: Int64

    /// What a file holds.
    package struct Contents: Sendable {
        /// Each chain's greatest checkpoint.
        package var last: [AuditChain: AuditCheckpoint] = [:]
        /// Pieces that are no checkpoint of this log: torn by a crash, forged, or another key's.
        package var foreign = 0
        /// Two checkpoints that contradict each other.
        package var fork: AuditCheckpoint?
        /// Whether the last piece is whole.
        package var isWhole = true
        /// Bytes of the file that were read, or written by this process.
        var length: Int64 = 0
        /// Bytes of them that a digest stands for.
        var digested: Int64 = 0
    }

    /// Names a file, which need not be there yet.
    ///
    /// Its digest is written anew after `stride` bytes: a mebibyte is read and verified in about a second.
    package init(path: String, stride: Int64 = 1 << 20) {
        self.path = path
        self.stride = stride
    }

    /// Reads what was signed before, from where the last digest ends; blocks.
    package func read(key: AuditPublicKey) throws -> Contents {
        var contents = Contents()
        if let digest = AuditCheckpointDigest(of: path, key: key) {
            contents.last = digest.last
            contents.digested = digest.length
        }
        contents.length = try Files.status(path)?.size ?? 0
        try forEach(
            key: key,
            from: contents.digested,
            { contents.add($0) },
            foreign: { contents.foreign += 1 },
            end: { contents.isWhole = $0 }
        )
        return contents
    }

    /// Whether a digest of what the file holds saves its next reader much.
    ///
    /// Never where there are two histories, which have to be found again.
    func isDigestDue(_ contents: Contents) -> Bool {
        contents.length - contents.digested >= stride && contents.fork == nil && contents.isWhole
    }

    /// Writes what was read and added down as a digest; blocks.
    ///
    /// Never of a file that others added to meanwhile.
    func digest(_ contents: Contents) throws {
        guard try Files.status(path)?.size == contents.length else { return }
        try AuditCheckpointDigest(length: contents.length, last: contents.last).write(of: path)
    }

    /// Puts every checkpoint of this log on a shelf, and counts the pieces that are none; blocks.
    package func read(key: AuditPublicKey, into shelf: inout AuditCheckpointShelf) throws -> Int {
        var foreign = 0
        try forEach(key: key, { shelf.add($0) }, foreign: { foreign += 1 }, end: { _ in })
        return foreign
    }

    private func forEach(
        key: AuditPublicKey,
        from offset: Int64 = 0,
        _ body: (AuditCheckpoint) -> Void,
        foreign: () -> Void,
        end: (Bool) -> Void
    ) throws {
        guard Files.exists(path) else { return }
        var reader = AuditCheckpointReader()
        var isWhole = true
        func take(_ note: String?) {
            guard let note else { return }
            if let checkpoint = AuditCheckpoint(note, key: key) { body(checkpoint) } else { foreign() }
        }
        try Files.forEachLine(path, from: offset, limit: 64 << 10) { line in
            isWhole = line.isEmpty
            take(reader.add(Substring(decoding: line, as: UTF8.self)))
        }
        take(reader.finish())
        for _ in 0..<reader.damaged { foreign() }
        end(isWhole)
    }

    /// Adds a checkpoint behind what is there, waits for the disk, and gives the bytes that it added; blocks.
    @discardableResult
    package func append(_ checkpoint: AuditCheckpoint, isWhole: Bool) throws -> Int64 {
        // What a crash tore off is ended first, so that it spoils nothing that follows.
        let text = (isWhole ? "" : "\n\n") + checkpoint.note.description + "\n"
        try Files.append(path, Array(text.utf8))
        return Int64(text.utf8.count)
    }
}

extension AuditCheckpointFile.Contents {
    fileprivate mutating func add(_ checkpoint: AuditCheckpoint) {
        guard let known = last[checkpoint.chain] else {
            last[checkpoint.chain] = checkpoint
            return
        }
        if known.size == checkpoint.size, known.root != checkpoint.root { fork = checkpoint }
        if checkpoint.size > known.size { last[checkpoint.chain] = checkpoint }
    }
}
