import CLinux
import Glibc

/// A program that has just been started.
struct ChildLaunch {
    let pid: Int32
    let pidfd: Int32

    static func start(_ spec: ProcessSpec, _ mappings: [clinux_mapping]) throws(PlatformError) -> ChildLaunch {
        let stage = "spawn(\(spec.path))"
        let strings =
            [spec.path, spec.workingDirectory ?? ""] + spec.arguments + spec.environment.flatMap { [$0.key, $0.value] }
        // A zero byte would cut an argument short: what ran would not be what was asked for.
        guard strings.allSatisfy({ !$0.utf8.contains(0) }), spec.environment.keys.allSatisfy({ !$0.contains("=") })
        else { throw PlatformError(stage: stage, errno: EINVAL) }

        let arguments = CStringVector(spec.arguments)
        defer { arguments.free() }
        let environment = CStringVector(spec.environment.map { "\($0.key)=\($0.value)" }.sorted())
        defer { environment.free() }
        var request = unsafe clinux_spawn()
        unsafe request.mapping_count = Int32(mappings.count)
        unsafe request.new_session = spec.newSession ? 1 : 0
        unsafe request.death_signal = spec.dieWithParent ? spec.parentDeathSignal : 0
        unsafe request.arguments = UnsafePointer(arguments.pointers)
        unsafe request.environment = UnsafePointer(environment.pointers)
        let pid = unsafe mappings.withUnsafeBufferPointer { mappings in
            unsafe spec.path.withCString { path in
                unsafe withOptionalCString(spec.workingDirectory) { directory in
                    unsafe request.mappings = mappings.baseAddress
                    unsafe request.path = path
                    unsafe request.directory = directory
                    return unsafe clinux_spawn_process(&request)
                }
            }
        }
        guard pid >= 0 else {
            let step = unsafe request.stage.map { unsafe String(cString: $0) } ?? "clone"
            throw PlatformError(stage: "\(stage): \(step)", errno: unsafe request.error)
        }
        return ChildLaunch(pid: pid, pidfd: unsafe request.pidfd)
    }
}

/// A null-terminated vector of C strings, freed by its maker.
@safe private struct CStringVector {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ strings: [String]) {
        count = strings.count
        unsafe pointers = .allocate(capacity: strings.count + 1)
        unsafe pointers.initialize(repeating: nil, count: strings.count + 1)
        for (index, string) in strings.enumerated() { unsafe pointers[index] = strdup(string) }
    }

    func free() {
        for index in 0..<count { unsafe Glibc.free(pointers[index]) }
        unsafe pointers.deallocate()
    }
}

private func withOptionalCString<Value>(_ string: String?, _ body: (UnsafePointer<CChar>?) -> Value) -> Value {
    guard let string else { return body(nil) }
    return unsafe string.withCString { unsafe body($0) }
}
