import CLinux
import CSeccomp
import Glibc
package import Platform

/// The system call filter of every sandbox, compiled once and handed over sealed.
package enum SeccompPolicy {
    /// Compiles the filter into a sealed memfd of classic BPF instructions.
    package static func compile() throws(SandboxError) -> OwnedDescriptor {
        let rules = try SeccompRules()
        defer { rules.release() }
        let raw = unsafe errand_anonymous_file("errand-seccomp")
        guard raw >= 0 else { throw SandboxError(step: "policy", errno: -raw, message: "memfd_create") }
        let file = OwnedDescriptor(raw)
        try rules.export(to: file.raw)
        let sealed = errand_seal(file.raw)
        guard sealed >= 0 else { throw SandboxError(step: "policy", errno: -sealed, message: "sealing the program") }
        return file
    }
}

/// The rules while they are being collected by libseccomp.
@safe struct SeccompRules {
    /// What a call is answered.
    enum Verdict: Equatable {
        case allow
        case refuse(Int32)

        fileprivate var action: UInt32 {
            switch self {
            case .allow: 0x7FFF_0000
            case .refuse(let errno): 0x0005_0000 | UInt32(errno)
            }
        }
    }

    private static let killProcess: UInt32 = 0x8000_0000
    private let context: scmp_filter_ctx

    init() throws(SandboxError) {
        guard let context = unsafe seccomp_init(Verdict.refuse(ENOSYS).action) else {
            throw SandboxError(step: "policy", errno: ENOMEM, message: "seccomp_init")
        }
        unsafe self.context = context
        do throws(SandboxError) {
            // A foreign architecture, x32 included, has other numbers for the same calls: it must not run at all.
            try check(unsafe seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, Self.killProcess), "architecture")
            // A binary tree instead of a list: the kernel evaluates the program once per number when it is loaded.
            try check(unsafe seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2), "optimisation")
            try addPlain()
            try addClone()
            try addSockets()
            try addExcept("ioctl", argument: 1, SeccompTables.forbiddenTerminalRequests, .refuse(EPERM), others: .allow)
            try addExcept(
                "personality",
                argument: 0,
                SeccompTables.allowedPersonalities,
                .allow,
                others: .refuse(EPERM)
            )
        } catch {
            release()
            throw error
        }
    }

    func release() {
        unsafe seccomp_release(context)
    }

    func export(to descriptor: Int32) throws(SandboxError) {
        try check(unsafe seccomp_export_bpf(context, descriptor), "export")
    }

    private func addPlain() throws(SandboxError) {
        for name in SeccompTables.allowed { try add(name, .allow) }
        for name in SeccompTables.forbidden { try add(name, .refuse(EPERM)) }
    }

    /// A new process, but in no new namespace.
    private func addClone() throws(SandboxError) {
        let mask = SeccompTables.namespaceBits.reduce(0, |)
        try add("clone", .allow, [.masked(0, mask, 0)])
        for bit in SeccompTables.namespaceBits { try add("clone", .refuse(EPERM), [.masked(0, bit, bit)]) }
    }

    /// TCP and UDP over IPv4 and IPv6, and pairs: no family, type or protocol beside.
    private func addSockets() throws(SandboxError) {
        let families: [UInt64] = [UInt64(AF_INET), UInt64(AF_INET6)]
        let unsupported = Verdict.refuse(EAFNOSUPPORT)
        try add("socket", unsupported, [.less(0, families[0])])
        for family in (families[0] + 1)..<families[1] { try add("socket", unsupported, [.equal(0, family)]) }
        try add("socket", unsupported, [.greater(0, families[1])])
        for family in families {
            for type in UInt64(0)..<16 where type != 1 && type != 2 {
                try add("socket", .refuse(EPERM), [.equal(0, family), .masked(1, 15, type)])
            }
            try addProtocols(family, type: 1, own: UInt64(IPPROTO_TCP))
            try addProtocols(family, type: 2, own: UInt64(IPPROTO_UDP))
        }
        let local = UInt64(AF_UNIX)
        try add("socketpair", .allow, [.equal(0, local)])
        try add("socketpair", unsupported, [.less(0, local)])
        try add("socketpair", unsupported, [.greater(0, local)])
    }

    /// The default protocol and the type's own; the kernel's other ones are attack surface that nobody needs.
    private func addProtocols(_ family: UInt64, type: UInt64, own: UInt64) throws(SandboxError) {
        let common: [SeccompComparison] = [.equal(0, family), .masked(1, 15, type)]
        try add("socket", .allow, common + [.equal(2, 0)])
        try add("socket", .allow, common + [.equal(2, own)])
        for other in 1..<own { try add("socket", .refuse(EPROTONOSUPPORT), common + [.equal(2, other)]) }
        try add("socket", .refuse(EPROTONOSUPPORT), common + [.greater(2, own)])
    }

    /// One verdict for some values of a 32-bit argument, the other for all the rest.
    ///
    /// libseccomp has no "none of these", and comparing 64 bits would let the argument's upper half hide a forbidden
    /// value. So the rest is covered by masked prefixes: every subtree of the values that holds no listed one.
    private func addExcept(
        _ name: String,
        argument: UInt32,
        _ listed: [UInt32],
        _ verdict: Verdict,
        others: Verdict
    ) throws(SandboxError) {
        var open: [(prefix: UInt32, length: Int)] = [(0, 0)]
        while let (prefix, length) = open.popLast() {
            let mask = length == 0 ? 0 : UInt32.max << UInt32(32 - length)
            let isListed = listed.contains { $0 & mask == prefix }
            if isListed && length < 32 {
                let bit = UInt32(1) << UInt32(31 - length)
                open += [(prefix, length + 1), (prefix | bit, length + 1)]
            } else {
                let comparison = SeccompComparison.masked(argument, UInt64(mask), UInt64(prefix))
                try add(name, isListed ? verdict : others, [comparison])
            }
        }
    }

    private func add(
        _ name: String,
        _ verdict: Verdict,
        _ comparisons: [SeccompComparison] = []
    ) throws(SandboxError) {
        let number = unsafe seccomp_syscall_resolve_name(name)
        guard number != __NR_SCMP_ERROR else {
            throw SandboxError(step: "policy", errno: EINVAL, message: "unknown system call \(name)")
        }
        let list = comparisons.map(\.native)
        let result = unsafe seccomp_rule_add_array(context, verdict.action, number, UInt32(list.count), list)
        try check(result, name)
    }

    private func check(_ result: Int32, _ what: String) throws(SandboxError) {
        guard result == 0 else { throw SandboxError(step: "policy", errno: -result, message: what) }
    }
}

/// One comparison of a system call's argument.
enum SeccompComparison {
    case equal(UInt32, UInt64)
    case less(UInt32, UInt64)
    case greater(UInt32, UInt64)
    case masked(UInt32, UInt64, UInt64)

    fileprivate var native: scmp_arg_cmp {
        switch self {
        case .equal(let argument, let value):
            scmp_arg_cmp(arg: argument, op: SCMP_CMP_EQ, datum_a: value, datum_b: 0)
        case .less(let argument, let value):
            scmp_arg_cmp(arg: argument, op: SCMP_CMP_LT, datum_a: value, datum_b: 0)
        case .greater(let argument, let value):
            scmp_arg_cmp(arg: argument, op: SCMP_CMP_GT, datum_a: value, datum_b: 0)
        case .masked(let argument, let mask, let value):
            scmp_arg_cmp(arg: argument, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value)
        }
    }
}
