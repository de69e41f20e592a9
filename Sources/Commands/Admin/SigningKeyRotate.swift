import Auth
import Bytes
import Core
import Operations
package import Platform
import Store

/// `errand admin key rotate`: a new key signs access tokens, after the time that others take to know it.
package struct SigningKeyRotate: Verb {
    package static let words = ["admin", "key", "rotate"]
    package static let usage = "[--at-once] [options]"
    package static let summary = "Make a new signing key; the old ones verify until their tokens are gone."
    package static let options = [
        Option("--at-once", "sign with it now, and not when key sets kept elsewhere have been fetched anew"),
        AdminOptions.data, AdminOptions.json,
    ]

    private let arguments: Arguments

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        _ = try arguments.exactly()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let delay = arguments.has("--at-once") ? .zero : SigningKeyTimes.publishingDelay
        let set = try await SigningKeyChange.make(arguments, on: loop, "signing_key.rotated") { set, now in
            let rotated = try set.rotated(at: now, delay: delay)
            return (rotated, rotated.active.identifier)
        }
        if arguments.has("--json") {
            terminal.put(SigningKeyRendering.json(set, at: WallClock.now()) + [UInt8(ascii: "\n")])
        } else {
            terminal.note("servers read it within seconds; it signs from \(set.active.signsFrom.rfc3339) on")
            terminal.print(set.active.identifier)
        }
        return ExitCode.done
    }
}

/// `errand admin key remove KID`: nothing that a key signed is believed any more.
package struct SigningKeyRemove: Verb {
    package static let words = ["admin", "key", "remove"]
    package static let usage = "KID [options]"
    package static let summary =
        "Remove a signing key that others may know; everybody's access token by it ends at once."
    package static let options = [AdminOptions.data, AdminOptions.json]

    private let arguments: Arguments
    private let identifier: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        identifier = try arguments.exactly("KID")[0]
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let set = try await SigningKeyChange.make(arguments, on: loop, "signing_key.removed") { set, now in
            guard let rest = try set.removing(identifier, at: now) else {
                throw CommandFailure(
                    "there is no signing key \(identifier): see `errand admin key list`",
                    exitCode: ExitCode.notFound
                )
            }
            return (rest, identifier)
        }
        if arguments.has("--json") {
            terminal.put(SigningKeyRendering.json(set, at: WallClock.now()) + [UInt8(ascii: "\n")])
        } else {
            terminal.note("\(identifier) is removed; clients refresh their access tokens by themselves")
        }
        return ExitCode.done
    }
}

/// A change to the file of signing keys, with its record.
private enum SigningKeyChange {
    /// Changes the set under a lock, so that two administrators lose nothing, and records who did it.
    static func make(
        _ arguments: Arguments,
        on loop: EventLoop,
        _ action: String,
        _ change: @escaping @Sendable (SigningKeySet, Timestamp) throws -> (set: SigningKeySet, target: String)
    ) async throws -> SigningKeySet {
        let file = SigningKeyFile(try Configuration.load(), dataDirectory: arguments.value("--data"))
        return try await AdminSession.run(arguments, on: loop) { store in
            guard let lock = try Files.lock(file.path + ".lock") else {
                throw CommandFailure("somebody else is changing the signing keys at this moment")
            }
            let now = WallClock.now()
            let (set, target) = try change(file.load(), now)
            // Recorded first: a change without a record must not be.
            try await store.audit.record([.administration(action, target: target, at: now)])
            try file.store(set)
            _ = consume lock
            return set
        }
    }
}
