import API
import Auth
import Core
import Platform
import TestSupport
import Testing

/// The digest of the file of checkpoints: what it spares a server that begins to sign, and that it is never believed alone.
@Suite struct AuditCheckpointDigestTests {
    /// A chain that was signed often enough that its file is longer than the end by which a digest knows it.
    private static func signed(_ rig: AuditCareTests.Rig) async throws -> AuditCare {
        rig.stride = 1
        let care = try rig.server()
        for _ in 0..<50 {
            try await rig.act()
            await care.step(entries: 1, interval: .zero)
        }
        #expect(rig.faults.isEmpty)
        return care
    }

    /// Spoils what stands at the file's beginning, which only a reading of the whole can find.
    private static func spoilBeginning(_ rig: AuditCareTests.Rig) throws {
        var bytes = try Files.readAll(rig.file.path, limit: 1 << 20)
        try #require(bytes.count > 8_192)
        bytes[3] ^= 1
        try Files.writeAtomically(rig.file.path, bytes)
    }

    @Test func `a server that begins to sign reads no more than what was added since the digest`() async throws {
        try await AuditCareTests.onLoop { rig in
            _ = try await Self.signed(rig)
            try Self.spoilBeginning(rig)
            try await rig.act()
            try await rig.server().step(entries: 1, interval: .zero)
            #expect(rig.faults.isEmpty && rig.sizes().last == 51)
            // Without the digest the whole is read, and the piece that was spoiled is found.
            try Files.remove(rig.file.path + ".digest")
            try await rig.act()
            try await rig.server().step(entries: 1, interval: .zero)
            #expect(rig.faults.count == 1 && rig.sizes().last == 52)
        }
    }

    @Test func `nothing is written down before it is worth it`() async throws {
        try await AuditCareTests.onLoop { rig in
            let care = try rig.server()
            try await rig.act()
            await care.step(entries: 1, interval: .zero)
            #expect(!Files.exists(rig.file.path + ".digest"))
            rig.stride = 1
            let late = try rig.server()
            await late.step(entries: 1, interval: .zero)
            #expect(Files.exists(rig.file.path + ".digest"))
            #expect(try Files.status(rig.file.path + ".digest")?.mode == 0o600)
        }
    }

    @Test func `what the digest remembers holds a database that was set back`() async throws {
        try await AuditCareTests.onLoop { rig in
            let care = try await Self.signed(rig)
            let (entries, kept) = (rig.log.chains, rig.checkpoints.kept)
            try await rig.act(5)
            await care.step(entries: 1, interval: .zero)
            rig.restore(entries, kept)
            let late = try rig.server()
            await late.step(entries: 1, interval: .zero)
            #expect(late.refused == [.installation] && rig.faults.count == 1)
        }
    }

    /// Ways in which a digest does not fit its file.
    enum Misfit: CaseIterable, Sendable {
        case changed, cut, empty, otherKey, shorterFile, otherFile
    }

    @Test(arguments: Misfit.allCases) func `a digest that does not fit its file is passed over`(
        misfit: Misfit
    ) async throws {
        try await AuditCareTests.onLoop { rig in
            _ = try await Self.signed(rig)
            let (file, digest) = (rig.file.path, rig.file.path + ".digest")
            var bytes = try Files.readAll(digest, limit: 1 << 20)
            switch misfit {
            case .changed: bytes[bytes.count - 9] ^= 1
            case .cut: bytes.removeLast(40)
            case .empty: bytes = []
            case .otherKey:
                let other = try AuditKey(host: "errand.test", at: rig.time.now)
                let note = try other.sign(.installation, size: 90, root: [UInt8](repeating: 7, count: 32)).note
                bytes += Array("\(note)\n".utf8)
            case .shorterFile:
                let whole = try Files.readAll(file, limit: 1 << 20)
                try Files.writeAtomically(file, Array(whole.dropLast(300)))
            case .otherFile:
                var whole = try Files.readAll(file, limit: 1 << 20)
                whole[whole.count - 2_000] ^= 1
                try Files.writeAtomically(file, whole)
            }
            try Files.writeAtomically(digest, bytes)
            try Self.spoilBeginning(rig)
            try await rig.act()
            try await rig.server().step(entries: 1, interval: .zero)
            // The piece that was spoiled shows that the whole was read.
            #expect(rig.faults.contains { $0.contains("are no checkpoints of this log") }, "\(misfit)")
            #expect(rig.sizes().last == 51 && rig.faults.count == 1, "\(misfit): \(rig.faults)")
        }
    }

    @Test func `a file with two histories is never digested`() async throws {
        try await AuditCareTests.onLoop { rig in
            _ = try await Self.signed(rig)
            let digest = try Files.readAll(rig.file.path + ".digest", limit: 1 << 20)
            let fake = try rig.key.sign(.installation, size: 50, root: [UInt8](repeating: 7, count: 32))
            try rig.file.append(fake, isWhole: true)
            for round in 1...2 {
                let late = try rig.server()
                await late.step(entries: 1, interval: .zero)
                #expect(late.refused == [.installation] && rig.faults.count == round)
            }
            #expect(try Files.readAll(rig.file.path + ".digest", limit: 1 << 20) == digest)
        }
    }
}
