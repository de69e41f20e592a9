import Auth
import Bytes
import Core
import Glibc
import Operations
import Platform
import TestSupport
import Testing

@testable import Commands

struct MasterKeyFileTests {
    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        let directory = try TestDirectory.make("master-keys")
        defer { try? Files.removeTree(directory) }
        try await body(directory)
    }

    private func file(_ environment: [String: String]) throws -> MasterKeyFile {
        MasterKeyFile(try Configuration.load(environment: environment))
    }

    private func made(_ directory: String) async throws -> (file: MasterKeyFile, id: MasterKeyID) {
        let file = try file(["ERRAND_DATA": directory])
        let loop = try EventLoop.start(name: "test")
        defer { loop.stop() }
        return (file, try await loop.run { try await file.loadOrMake(on: loop).current.id })
    }

    @Test func `the first start makes a key that its owner alone reads, and later ones find it`() async throws {
        try await withDirectory { directory in
            let (file, id) = try await made(directory)
            #expect(file.path == directory + "/secrets/master-keys.json")
            #expect(try Files.status(file.path)?.mode == 0o600)
            #expect(try await made(directory).id == id)
            #expect(try file.load().current.id == id)
        }
    }

    @Test func `of many servers that start at once one makes the key`() async throws {
        try await withDirectory { directory in
            let ids = try await withThrowingTaskGroup(of: MasterKeyID.self) { group in
                for _ in 0..<8 { group.addTask { try await made(directory).id } }
                return try await group.reduce(into: Set<MasterKeyID>()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
        }
    }

    @Test(arguments: [0o644, 0o640, 0o604, 0o660, 0o602, 0o610] as [UInt32])
    func `a file that others reach is refused`(mode: UInt32) async throws {
        try await withDirectory { directory in
            let (file, id) = try await made(directory)
            try Files.setMode(file.path, mode)
            let error = #expect(throws: CommandFailure.self) { try file.load() }
            #expect(error?.description.contains("chmod 600") == true)
            for fine in [0o600, 0o400] as [UInt32] {
                try Files.setMode(file.path, fine)
                #expect(try file.load().current.id == id)
            }
        }
    }

    @Test func `systemd's credential is read where there is one, its access list's mask included`() async throws {
        try await withDirectory { directory in
            let (made, id) = try await made(directory)
            let credential = directory + "/errand-master-key"
            let environment = ["ERRAND_DATA": directory + "/other", "CREDENTIALS_DIRECTORY": directory]
            #expect(try file(environment).path == directory + "/other/secrets/master-keys.json")
            try Files.rename(made.path, to: credential)
            let found = try file(environment)
            #expect(found.path == credential && found.isCredential)
            for (mode, isFine) in [(0o400, true), (0o440, true), (0o444, false), (0o420, false), (0o404, false)] {
                try Files.setMode(credential, UInt32(mode))
                #expect((try? found.load().current.id == id) == (isFine ? true : nil), "\(mode)")
            }
            let named = environment.merging(["ERRAND_MASTER_KEYS": "/elsewhere/keys"]) { $1 }
            #expect(try file(named).path == "/elsewhere/keys" && !file(named).isCredential)
        }
    }

    @Test func `a credential is refused where the API could not read it, and nothing else is`() async throws {
        try await withDirectory { directory in
            let environment = ["ERRAND_DATA": directory + "/data", "CREDENTIALS_DIRECTORY": directory]
            func refusal(_ more: [String: String] = [:]) throws -> CommandFailure? {
                let settings = environment.merging(more) { $1 }
                do {
                    try MasterKeyFile.refuseCredential(try Configuration.load(environment: settings))
                    return nil
                } catch let failure as CommandFailure {
                    return failure
                }
            }
            #expect(try refusal() == nil)
            try Files.writeAtomically(directory + "/errand-master-key", [], mode: 0o400)
            #expect(try refusal()?.description.contains("errand serve") == true)
            #expect(try refusal(["ERRAND_MASTER_KEYS": directory + "/keys.json"]) == nil)
        }
    }

    @Test func `a link leads to the file, and what is no file or damaged is refused without its text`() async throws {
        try await withDirectory { directory in
            let (made, id) = try await made(directory)
            let link = directory + "/link"
            #expect(unsafe symlink(made.path, link) == 0)
            #expect(try file(["ERRAND_MASTER_KEYS": link]).load().current.id == id)
            #expect(throws: (any Error).self) { try file(["ERRAND_MASTER_KEYS": directory]).load() }
            #expect(throws: (any Error).self) { try file(["ERRAND_MASTER_KEYS": directory + "/none"]).load() }
            let text = String(decoding: try Files.readAll(made.path, limit: 4_096), as: UTF8.self)
            try Files.writeAtomically(made.path, Array(text.dropLast(1).utf8), mode: 0o600)
            let error = #expect(throws: CommandFailure.self) { try made.load() }
            let key = try #require(text.split(separator: "\"").first { $0.utf8.count == 43 })
            #expect(error.map { !$0.description.contains(key) && $0.description.contains("damaged") } == true)
        }
    }

    @Test func `an administrator's change keeps the file whole and its owner's, one at a time`() async throws {
        try await withDirectory { directory in
            let (made, id) = try await made(directory)
            if geteuid() == 0 { try Files.setOwner(made.path, userID: 65_534, groupID: 65_534) }
            let before = try #require(try Files.status(made.path))
            let rotated = try made.load().rotated(at: Timestamp(milliseconds: 1_790_000_000_000))
            try await made.locked {
                await #expect(throws: CommandFailure.self) { try await made.locked {} }
                try made.store(rotated)
            }
            let after = try #require(try Files.status(made.path))
            #expect(after.userID == before.userID && after.mode == 0o600)
            #expect(try made.load().keys.map(\.id) == [id, rotated.current.id])
            try await made.locked {}
        }
    }
}
