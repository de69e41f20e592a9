import CLinux
import Glibc

/// What this kernel offers and allows.
package enum Kernel {
    /// The version of Landlock, nil when the kernel has none or it is switched off.
    package static var landlockVersion: Int? {
        let version = clinux_landlock_version()
        return version > 0 ? Int(version) : nil
    }

    /// Whether the clock follows a time server, nil when this process may not ask.
    package static var isClockSynchronized: Bool? {
        let result = clinux_clock_is_synchronized()
        return result < 0 ? nil : result == 1
    }

    /// How many descriptors this process may have open.
    package static var descriptorLimit: Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        return Int(clamping: limit.rlim_cur)
    }

    /// Raises the number of descriptors to what the administrator allows.
    package static func raiseDescriptorLimit() {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard unsafe getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(resource, &limit)
    }
}
