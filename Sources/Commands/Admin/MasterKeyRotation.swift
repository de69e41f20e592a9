import Auth
import Bytes
import Core
import Platform
import Store

/// What a rotation of master keys does and has done.
enum MasterKeyRotationEvent {
    /// The key that wraps from now on; a resumed rotation has made it before.
    case key(MasterKeyID, isResumed: Bool)
    /// Secrets with a new wrap so far, and those still under older keys.
    case progress(rewrapped: Int, remaining: Int)
    /// The end: older keys that nothing needs any more and that are gone, and secrets that do not open.
    case done(rewrapped: Int, removed: [MasterKeyID], damaged: [SecretPlace])
}

/// Gives every stored secret a wrap by the newest master key, while the servers go on; begun again, it goes on.
struct MasterKeyRotation {
    let file: MasterKeyFile
    let secrets: any SecretStore
    /// Secrets in one transaction.
    let batch: Int
    let report: (MasterKeyRotationEvent) -> Void
    /// What is written behind one pass was sealed before it began; the last one is for servers that hang meanwhile.
    private static let passes = 3

    /// Adds a key unless an earlier rotation is not over, wraps everything anew, and removes what nothing needs.
    func run(addsKey: Bool, again: Bool) async throws {
        var ring = try file.load()
        let known = try await secrets.masterKeys().map(\.id)
        try Self.demand(known, in: ring, file)
        let isUnfinished = ring.keys.count > 1 || known.contains { $0 != ring.current.id }
        let isResumed = !addsKey || isUnfinished && !again
        if !isResumed {
            ring = ring.rotated(at: WallClock.now())
            try file.store(ring)
        }
        report(.key(ring.current.id, isResumed: isResumed))
        // Recorded by the first who registers it, which is this unless it was killed right here.
        let audit = AuditDraft.administration("master_key.rotated", target: ring.current.id.description)
        _ = try await secrets.adopt(ring.current.id, audit: audit)
        var (rewrapped, damaged) = (0, [SecretPlace]())
        // A server that had read the file just before writes behind the first pass.
        for _ in 0..<Self.passes {
            damaged = []
            for old in ring.keys where old.id != ring.current.id {
                try await rewrap(under: old.id, ring, &rewrapped, &damaged)
            }
            if try await remaining(ring) <= damaged.count { break }
        }
        let removed = try await removeUnused(&ring)
        report(.done(rewrapped: rewrapped, removed: removed, damaged: damaged))
    }

    /// A database that knows keys that the file lacks belongs to another file.
    static func demand(_ known: [MasterKeyID], in ring: MasterKeyRing, _ file: MasterKeyFile) throws {
        let missing = known.filter { ring[$0] == nil }
        guard missing.isEmpty else {
            let names = missing.map(\.description).joined(separator: ", ")
            throw CommandFailure(
                "\(file.path) lacks master keys that stored secrets need (\(names)): put the right file there"
            )
        }
    }

    private func rewrap(
        under old: MasterKeyID,
        _ ring: MasterKeyRing,
        _ rewrapped: inout Int,
        _ damaged: inout [SecretPlace]
    ) async throws {
        var last = ""
        while true {
            let found = try await secrets.secrets(under: old, after: last, limit: batch)
            guard let end = found.last else { return }
            var changes: [RewrappedSecret] = []
            for secret in found {
                do throws(SealError) {
                    let new = try SealedSecret(secret.sealed).rewrapped(in: secret.place, under: ring)
                    changes.append(RewrappedSecret(place: secret.place, old: secret.sealed, new: new.bytes))
                } catch {
                    damaged.append(secret.place)
                }
            }
            if !changes.isEmpty { rewrapped += try await secrets.rewrap(changes) }
            last = end.place.description
            report(.progress(rewrapped: rewrapped, remaining: try await remaining(ring)))
        }
    }

    /// Secrets that still need an older key.
    private func remaining(_ ring: MasterKeyRing) async throws -> Int {
        try await secrets.masterKeys().filter { $0.id != ring.current.id }.reduce(0) { $0 + $1.secrets }
    }

    /// Forgets older keys where nothing needs them: in the database first, which refuses when that is not so.
    private func removeUnused(_ ring: inout MasterKeyRing) async throws -> [MasterKeyID] {
        for old in ring.keys where old.id != ring.current.id { _ = try await secrets.forget(old.id) }
        let known = Set(try await secrets.masterKeys().map(\.id))
        let unused = Set(ring.keys.map(\.id)).subtracting(known).subtracting([ring.current.id])
        guard !unused.isEmpty, !file.isCredential else { return [] }
        ring = ring.without(unused)
        try file.store(ring)
        return unused.sorted()
    }
}
