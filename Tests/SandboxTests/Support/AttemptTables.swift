import Glibc

extension AttemptGroup {
    static let all = [namespaces, mounts, privileges, foreignTables, kernel, terminals, sockets, files]

    static let namespaces = AttemptGroup(
        description: "namespaces",
        attempts: [
            Attempt("unshare-user", .errno(EPERM), control: .works),
            Attempt("unshare-mount", .errno(EPERM), control: .works),
            Attempt("unshare-net", .errno(EPERM), control: .works),
            Attempt("unshare-pid", .errno(EPERM), control: .works),
            Attempt("unshare-time", .errno(EPERM), control: .works),
            Attempt("unshare-cgroup", .errno(EPERM), control: .works),
            Attempt("unshare-uts", .errno(EPERM), control: .works),
            Attempt("unshare-ipc", .errno(EPERM), control: .works),
            Attempt("clone-user", .errno(EPERM), control: .works),
            Attempt("clone-net", .errno(EPERM), control: .works),
            Attempt("clone-plain", .ok(0), control: .works),
            Attempt("clone3", .errno(ENOSYS), control: .outside([.errno(EINVAL)])),
            Attempt("thread", .ok(0), control: .works),
            Attempt("setns-net", .errno(EPERM), control: .works),
            Attempt("setns-pidfd", .errno(EPERM), control: .works),
        ]
    )

    static let mounts = AttemptGroup(
        description: "mounts",
        attempts: [
            Attempt("mount-tmpfs", .errno(EPERM), control: .works),
            Attempt("mount-bind", .errno(EPERM), control: .works),
            Attempt("umount-proc", .errno(EPERM), control: .works),
            Attempt("remount", .errno(EPERM), control: .outside([.errno(EINVAL), .ok(0)])),
            Attempt("pivot-root", .errno(EPERM), control: .outside([.errno(EINVAL), .errno(EBUSY)])),
            Attempt("chroot", .errno(EPERM), control: .works),
            Attempt("open_tree", .errno(ENOSYS), control: .badArgumentsOfMountCalls),
            Attempt("move_mount", .errno(ENOSYS), control: .badArgumentsOfMountCalls),
            Attempt("fsopen", .errno(ENOSYS), control: .badArgumentsOfMountCalls),
            Attempt("fsconfig", .errno(ENOSYS), control: .badArgumentsOfMountCalls),
            Attempt("fsmount", .errno(ENOSYS), control: .badArgumentsOfMountCalls),
            Attempt("fspick", .errno(ENOSYS), control: .badArgumentsOfMountCalls),
            Attempt("mount_setattr", .errno(ENOSYS), control: .badArgumentsOfMountCalls),
        ]
    )

    static let privileges = AttemptGroup(
        description: "privileges",
        attempts: [
            Attempt("capset", .errno(EPERM), control: .works),
            Attempt("ambient-raise", .errno(EPERM), control: .works),
            Attempt("unset-no-new-privileges", .errno(EINVAL), control: .outside([.errno(EINVAL)])),
            Attempt("get-no-new-privileges", .ok(1), control: .works),
            Attempt("securebits", .errno(EPERM), control: .works),
            // Root is not mapped inside, so there is no such uid to become.
            Attempt("setuid-root", .errno(EINVAL), control: .works),
            Attempt("setgroups", .errno(EPERM), control: .works),
            Attempt("raise-priority", .errno(EACCES), control: .works),
            Attempt("raise-file-limit", .errno(EPERM), control: .twin("thread")),
            Attempt("kill-init", .ok(0), control: .twin("clone-plain")),
        ]
    )

    static let foreignTables = AttemptGroup(
        description: "foreign system call tables",
        attempts: [
            Attempt("int-80", .signal(SIGSYS), control: .works),
            // This kernel may lack x32; that the filter kills it is shown by the table of the program itself.
            Attempt("x32", .signal(SIGSYS), control: .outside([.ok(0), .errno(ENOSYS)])),
            Attempt("personality-no-aslr", .errno(EPERM), control: .works),
            Attempt("personality-read-implies-exec", .errno(EPERM), control: .works),
            Attempt("personality-query", .ok(0), control: .works),
            Attempt("modify_ldt", .errno(EPERM), control: .works),
            Attempt("iopl", .errno(EPERM), control: .badArguments),
        ]
    )

    static let kernel = AttemptGroup(
        description: "kernel surface",
        attempts: [
            "bpf-load", "bpf-map", "perf_event_open", "userfaultfd", "kexec_load", "init_module", "finit_module",
            "delete_module", "open_by_handle_at", "fanotify_init", "quotactl", "acct", "swapon", "reboot", "syslog",
            "kcmp", "mbind", "clock_settime", "settimeofday", "adjtimex", "add_key", "request_key",
        ].map { Attempt($0, .errno(EPERM), control: .badArguments) } + [
            Attempt("io_uring_setup", .errno(ENOSYS), control: .badArgumentsOfMountCalls),
            Attempt("io_uring_enter", .errno(ENOSYS), control: .badArgumentsOfMountCalls),
            Attempt("io_uring_register", .errno(ENOSYS), control: .badArgumentsOfMountCalls),
            Attempt("move_pages", .errno(EPERM), control: .works),
            Attempt("keyctl", .errno(EPERM), control: .works),
            Attempt("ptrace-parent", .errno(EPERM), control: .works),
            Attempt("ptrace-traceme", .errno(EPERM), control: .works),
            Attempt("process_vm_readv", .errno(EPERM), control: .works),
            Attempt("pidfd_getfd", .errno(EPERM), control: .works),
            // Allowed: what runs from memory runs under the same filter, and the workspace is executable anyway.
            Attempt("execute-memory", .ok(0), control: .works),
        ]
    )

    static let terminals = AttemptGroup(
        description: "terminals",
        attempts: [
            Attempt("inject-input", .errno(EPERM), control: .works),
            Attempt("inject-input-high-bits", .errno(EPERM), control: .works),
            Attempt("line-discipline", .errno(EPERM), control: .works),
            Attempt("console-select", .errno(EPERM), control: .outside([.errno(ENOTTY)])),
            Attempt("window-size", .ok(0), control: .works),
        ]
    )

    static let sockets = AttemptGroup(
        description: "sockets",
        attempts: [
            Attempt("socket-local", .errno(EAFNOSUPPORT), control: .works),
            Attempt("socketpair-local", .ok(0), control: .works),
            Attempt("socketpair-inet", .errno(EAFNOSUPPORT), control: .outside([.errno(EOPNOTSUPP)])),
            Attempt("socket-netlink", .errno(EAFNOSUPPORT), control: .works),
            Attempt("socket-packet", .errno(EAFNOSUPPORT), control: .works),
            Attempt("socket-vsock", .errno(EAFNOSUPPORT), control: .works),
            Attempt("socket-xdp", .errno(EAFNOSUPPORT), control: .works),
            Attempt("socket-raw", .errno(EPERM), control: .works),
            Attempt("socket-raw-6", .errno(EPERM), control: .works),
            Attempt("socket-ping", .errno(EPROTONOSUPPORT), control: .twin("socket-udp")),
            Attempt("socket-multipath", .errno(EPROTONOSUPPORT), control: .works),
            Attempt("socket-tcp", .ok(0), control: .works),
            Attempt("socket-tcp-6", .ok(0), control: .works),
            Attempt("socket-udp", .ok(0), control: .works),
            Attempt("socket-families", .ok(1 << 2 | 1 << 10), control: .twin("socket-tcp")),
            Attempt("connect-documentation", .errno(ENETUNREACH), control: .twin("socket-tcp")),
            Attempt("connect-metadata", .errno(ENETUNREACH), control: .twin("socket-tcp")),
        ]
    )

    static let files = AttemptGroup(
        description: "files",
        attempts: [
            Attempt("read-shadow", .errno(ENOENT), control: .works),
            Attempt("read-root-home", .errno(ENOENT), control: .works),
            Attempt("read-host-release", .errno(ENOENT), control: .works),
            Attempt("open-tun", .errno(ENOENT), control: .works),
            Attempt("open-kvm", .errno(ENOENT), control: .works),
            Attempt("open-sys", .errno(ENOENT), control: .works),
            Attempt("open-cgroup", .errno(ENOENT), control: .works),
            // Init is hidden from the process table as well as closed to tracing.
            Attempt("init-root", .errno(ENOENT), control: .twin("write-here")),
            Attempt("init-environment", .errno(ENOENT), control: .twin("write-here")),
            Attempt("init-descriptors", .errno(ENOENT), control: .works),
            Attempt("init-memory", .errno(ENOENT), control: .twin("write-here")),
            Attempt("write-usr", .errno(EROFS), control: .twin("write-here")),
            Attempt("write-etc", .errno(EROFS), control: .twin("write-here")),
            Attempt("write-root", .errno(EROFS), control: .twin("write-here")),
            Attempt("write-dev", .errno(EROFS), control: .twin("write-here")),
            Attempt("write-here", .ok(0), control: .works),
            Attempt("write-core-pattern", .errno(EACCES), control: .works),
            Attempt("write-hostname", .errno(EACCES), control: .works),
            Attempt("write-forwarding", .errno(EACCES), control: .works),
            Attempt("write-userns-limit", .errno(EACCES), control: .twin("write-here")),
            Attempt("link-program", .errno(EXDEV), control: .twin("write-here")),
            Attempt("make-device", .errno(EPERM), control: .works),
            Attempt("make-fifo", .ok(0), control: .works),
            Attempt("kernel-symbols", .ok(0), control: .outside([.ok(32)])),
        ]
    )
}

extension Attempt.Control {
    /// As `badArguments`, but a missing call would prove nothing, since inside it is answered as missing.
    static let badArgumentsOfMountCalls = Attempt.Control.outside(
        [EFAULT, EINVAL, EBADF, ENOENT].map { .errno($0) }
    )
}
