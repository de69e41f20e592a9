import Bytes
import Glibc
import Platform

/// The file of credentials: readable for its owner only, replaced as a whole, rotated by one process at a time.
struct CredentialFile: Sendable {
    private let directory: String

    /// The lock waits for other processes this long: a refresh takes a round trip.
    private static let patience = Duration.seconds(30)
    private static let longest = 64 << 10

    /// The file in the client's own directory.
    init(_ environment: ClientEnvironment) throws(CommandFailure) {
        directory = try environment.configurationDirectory()
    }

    /// Where the file is.
    var path: String { directory + "/credentials.json" }

    /// Where a certificate authority is kept that was trusted at sign-in.
    var caPath: String { directory + "/ca.pem" }

    /// Reads the file; nil when nobody is signed in.
    func load() async throws -> Credentials? {
        let path = self.path
        let bytes: [UInt8]
        do {
            bytes = try await BlockingPool.run { try Files.readAll(path, limit: Self.longest) }
        } catch let error as PlatformError where error.errno == ENOENT || error.errno == ENOTDIR {
            return nil
        }
        do throws(CredentialsError) {
            return try Credentials(decoding: bytes)
        } catch {
            let reason = error == .damaged ? "is damaged" : "is of another version of errand"
            throw CommandFailure("\(path) \(reason): sign in again with `errand login`", exitCode: ExitCode.refused)
        }
    }

    /// Replaces the file.
    func save(_ credentials: Credentials) async throws {
        let (directory, path) = (self.directory, self.path)
        try await BlockingPool.run {
            try Files.createDirectory(directory)
            try Files.writeAtomically(path, credentials.encoded())
        }
    }

    /// Keeps a copy of a file of certificate authorities, so that the sign-in outlives the original.
    func keepAuthorities(from source: String) async throws -> String {
        let (directory, target) = (self.directory, caPath)
        try await BlockingPool.run {
            // A system's whole bundle is a quarter of this.
            let bytes = try Files.readAll(source, limit: 1 << 20)
            try Files.createDirectory(directory)
            try Files.writeAtomically(target, bytes)
        }
        return target
    }

    /// Where the device's token is kept while nobody is signed in.
    var devicePath: String { directory + "/device.json" }

    /// Forgets a sign-in, but not that this device was signed in: strangers who guess cannot make it wait.
    func remove(_ credentials: Credentials) async throws {
        let (path, devicePath) = (self.path, self.devicePath)
        let device = RememberedDevice(credentials)
        try await BlockingPool.run {
            if let device { try Files.writeAtomically(devicePath, device.encoded()) }
            try Files.remove(path)
        }
    }

    /// The token of this device for an account, from a sign-in that has ended.
    func deviceToken(for email: String, at url: String) async -> String? {
        let devicePath = self.devicePath
        // Without it a sign-in is only one of a stranger's.
        let bytes = try? await BlockingPool.run { try Files.readAll(devicePath, limit: Self.longest) }
        return bytes.flatMap { RememberedDevice(decoding: $0) }?.token(for: email, at: url)
    }

    /// Runs the body while no other process changes the file.
    func locked<Value>(on loop: EventLoop, _ body: () async throws -> Value) async throws -> Value {
        let (directory, path) = (self.directory, directory + "/credentials.lock")
        let end = loop.now.advanced(by: Self.patience)
        while loop.now < end {
            let raw = try await BlockingPool.run { () throws -> Int32? in
                try Files.createDirectory(directory)
                guard let lock = try Files.lock(path) else { return nil }
                return lock.release()
            }
            guard let raw else {
                await loop.sleep(.milliseconds(50))
                continue
            }
            let lock = OwnedDescriptor(raw)
            defer { _ = lock.raw }
            return try await body()
        }
        throw CommandFailure("another errand holds \(path) for too long", exitCode: ExitCode.unavailable)
    }
}
