private import CArgon2

/// The cost of one password hash.
package struct Argon2Parameters: Sendable, Equatable {
    /// Memory that every hash fills.
    package var memoryKiB: Int
    /// Passes over the memory.
    package var iterations: Int
    /// Independent lanes of memory.
    package var lanes: Int

    /// A cost in KiB, passes and lanes.
    package init(memoryKiB: Int, iterations: Int, lanes: Int) {
        self.memoryKiB = memoryKiB
        self.iterations = iterations
        self.lanes = lanes
    }

    /// The second choice of RFC 9106 section 4: 64 MiB, 3 passes, 4 lanes.
    package static let standard = Argon2Parameters(memoryKiB: 65_536, iterations: 3, lanes: 4)

    /// What a hash may cost at most: a planted stored hash must not take more memory or time than these.
    package static let limits = Argon2Parameters(memoryKiB: 262_144, iterations: 10, lanes: 16)

    /// Whether the cost is one that the algorithm defines and that stays within the limits.
    package var isWithinLimits: Bool {
        (1...Self.limits.lanes).contains(lanes) && (1...Self.limits.iterations).contains(iterations)
            && memoryKiB >= 8 * lanes && memoryKiB <= Self.limits.memoryKiB
    }
}

/// Argon2id, version 1.3 (RFC 9106).
enum Argon2 {
    static func tag(
        password: [UInt8],
        salt: [UInt8],
        secret: [UInt8] = [],
        associated: [UInt8] = [],
        _ parameters: Argon2Parameters,
        length: Int
    ) throws(CryptoError) -> [UInt8] {
        guard parameters.isWithinLimits else { throw CryptoError(stage: "argon2id", reason: .invalidParameters) }
        var (password, salt, secret, associated) = (password, salt, secret, associated)
        var result = [UInt8](repeating: 0, count: length)
        let code = unsafe result.withUnsafeMutableBufferPointer { result in
            unsafe password.withUnsafeMutableBufferPointer { password in
                unsafe salt.withUnsafeMutableBufferPointer { salt in
                    unsafe secret.withUnsafeMutableBufferPointer { secret in
                        unsafe associated.withUnsafeMutableBufferPointer { associated in
                            var context = unsafe argon2_context()
                            unsafe context.out = result.baseAddress
                            unsafe context.outlen = UInt32(result.count)
                            unsafe context.pwd = password.baseAddress
                            unsafe context.pwdlen = UInt32(password.count)
                            unsafe context.salt = salt.baseAddress
                            unsafe context.saltlen = UInt32(salt.count)
                            unsafe context.secret = secret.baseAddress
                            unsafe context.secretlen = UInt32(secret.count)
                            unsafe context.ad = associated.baseAddress
                            unsafe context.adlen = UInt32(associated.count)
                            unsafe context.t_cost = UInt32(parameters.iterations)
                            unsafe context.m_cost = UInt32(parameters.memoryKiB)
                            unsafe context.lanes = UInt32(parameters.lanes)
                            // The caller's pool bounds how many hashes run; the lanes of one give the same tag on one thread.
                            unsafe context.threads = 1
                            unsafe context.version = ARGON2_VERSION_13.rawValue
                            return unsafe argon2id_ctx(&context)
                        }
                    }
                }
            }
        }
        switch code {
        case ARGON2_OK.rawValue: return result
        case ARGON2_MEMORY_ALLOCATION_ERROR.rawValue: throw CryptoError(stage: "argon2id", reason: .outOfMemory)
        default: throw CryptoError(stage: "argon2id", reason: .failed)
        }
    }
}
