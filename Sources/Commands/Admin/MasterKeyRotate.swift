import Auth
import Bytes
import Core
import Operations
package import Platform
import Store

/// `errand admin key rotate-master`: a new key wraps the keys of all stored secrets.
package struct MasterKeyRotate: Verb {
    package static let words = ["admin", "key", "rotate-master"]
    package static let usage = "[options]"
    package static let summary = "Make a new master key and wrap all stored secrets with it, while everything runs."
    package static let options = [
        Option("--rewrap-only", "add no key: wrap everything with the newest one of the file"),
        Option("--again", "make another key although the last rotation did not end"),
        Option("--write", "FILE", "only write the keys with a new one to FILE, for other machines or a credential"),
        Option("--batch", "N", "secrets in one transaction (default: 100)"),
        AdminOptions.data, AdminOptions.json,
    ]

    private let arguments: Arguments
    private let batch: Int

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        _ = try arguments.exactly()
        batch = try arguments.integer("--batch", in: 1...1_000) ?? 100
        let modes = ["--rewrap-only", "--again", "--write"].filter { arguments.has($0) }
        guard modes.count < 2 else { throw UsageError("\(modes.joined(separator: " and ")) cannot be meant together") }
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let file = MasterKeyFile(try Configuration.load(), dataDirectory: arguments.value("--data"))
        if let target = arguments.value("--write") { return try write(file, to: target, terminal) }
        guard arguments.has("--rewrap-only") || !file.isCredential else {
            throw CommandFailure(
                "\(file.path) is a credential, which systemd writes: make the next one with --write FILE, "
                    + "install it, restart the servers, then run this with --rewrap-only",
                exitCode: ExitCode.usage
            )
        }
        let rendering = MasterKeyRendering(isJSON: arguments.has("--json"), terminal: terminal)
        var exit = ExitCode.done
        try await AdminSession.run(arguments, on: loop) { store in
            let rotation = MasterKeyRotation(file: file, secrets: store.secrets, batch: batch) { event in
                rendering.put(event)
                if case .done(_, _, let damaged) = event, !damaged.isEmpty { exit = ExitCode.failed }
            }
            try await file.locked {
                try await rotation.run(addsKey: !arguments.has("--rewrap-only"), again: arguments.has("--again"))
            }
        }
        return exit
    }

    private func write(_ file: MasterKeyFile, to target: String, _ terminal: Terminal) throws -> Int32 {
        guard !Files.exists(target) else {
            throw CommandFailure("\(target) is there already", exitCode: ExitCode.usage)
        }
        let ring = try file.load().rotated(at: WallClock.now())
        try Files.writeAtomically(target, ring.document(), mode: 0o600)
        terminal.note("install \(target) on every server, then run `errand admin key rotate-master --rewrap-only`")
        terminal.print(ring.current.id.description)
        return ExitCode.done
    }
}

/// A rotation as people and programs read it; programs get one object a line.
private struct MasterKeyRendering {
    let isJSON: Bool
    let terminal: Terminal

    func put(_ event: MasterKeyRotationEvent) {
        if isJSON { return terminal.put(json(event) + [UInt8(ascii: "\n")]) }
        switch event {
        case .key(let id, let isResumed):
            terminal.note(isResumed ? "going on with the master key \(id)" : "the new master key is \(id)")
        case .progress(let rewrapped, let remaining): terminal.note("\(rewrapped) secrets done, \(remaining) to go")
        case .done(let rewrapped, let removed, let damaged):
            for place in damaged { terminal.note("does not open, set it anew: \(place)") }
            terminal.note("wrapped \(rewrapped) secrets anew")
            for id in removed {
                terminal.note("removed \(id), which nothing needs any more; keep it with older backups")
            }
        }
    }

    private func json(_ event: MasterKeyRotationEvent) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        switch event {
        case .key(let id, let isResumed):
            writer.member("event", "key")
            writer.member("id", id.description)
            writer.member("resumed", isResumed)
        case .progress(let rewrapped, let remaining):
            writer.member("event", "progress")
            writer.member("rewrapped", rewrapped)
            writer.member("remaining", remaining)
        case .done(let rewrapped, let removed, let damaged):
            writer.member("event", "done")
            writer.member("rewrapped", rewrapped)
            writer.key("removed")
            writer.value(.array(removed.map { .string($0.description) }))
            writer.key("damaged")
            writer.value(.array(damaged.map { .string($0.description) }))
        }
        writer.endObject()
        return writer.bytes
    }
}
