/// The system calls that a sandbox may make, and those it is told it may not.
///
/// Whatever is in neither list, future calls included, is answered ENOSYS: libraries then fall back to an older call.
/// That also holds for `clone3`, the file-descriptor mount calls and io_uring.
enum SeccompTables {
    /// The container runtimes' allow-list less what section "forbidden" takes out.
    static let allowed: [String] = split(
        """
        accept accept4 access alarm arch_prctl bind brk capget capset chdir chmod chown clock_getres clock_gettime
        clock_nanosleep close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1
        epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 execve execveat exit exit_group faccessat
        faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchown fchownat fcntl fdatasync fgetxattr flistxattr
        flock fork fremovexattr fsetxattr fstat fstatfs fsync ftruncate futex futex_waitv futimesat getcpu getcwd
        getdents getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid
        getpriority getrandom getresgid getresuid getrlimit getrusage getsid getsockname getsockopt gettid
        gettimeofday getuid getxattr get_robust_list get_thread_area inotify_add_watch inotify_init inotify_init1
        inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit ioprio_get ioprio_set
        kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lgetxattr link linkat listen
        listxattr llistxattr lremovexattr lseek lsetxattr lstat madvise membarrier memfd_create mincore mkdir
        mkdirat mknod mknodat mlock mlock2 mlockall mmap mprotect mq_getsetattr mq_notify mq_open mq_timedreceive
        mq_timedsend mq_unlink mremap msgctl msgget msgrcv msgsnd msync munlock munlockall munmap
        name_to_handle_at nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2
        pkey_alloc pkey_free pkey_mprotect poll ppoll prctl pread64 preadv preadv2 prlimit64 pselect6 pwrite64
        pwritev pwritev2 read readahead readlink readlinkat readv recvfrom recvmmsg recvmsg remap_file_pages
        removexattr rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask
        rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max
        sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
        sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp
        select semctl semget semop semtimedop sendfile sendmmsg sendmsg sendto setfsgid setfsuid setgid setgroups
        setitimer setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setsockopt setuid
        setxattr set_robust_list set_thread_area set_tid_address shmat shmctl shmdt shmget shutdown sigaltstack
        signalfd signalfd4 splice stat statfs statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill
        time timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime
        timerfd_settime times tkill truncate umask uname unlink unlinkat utime utimensat utimes vfork vmsplice wait4
        waitid write writev
        """
    )

    /// Known calls that are answered EPERM, so that their callers do not take them for absent.
    static let forbidden: [String] = split(
        """
        acct add_key adjtimex bpf chroot clock_adjtime clock_settime delete_module fanotify_init fanotify_mark
        finit_module get_mempolicy init_module ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie
        mbind memfd_secret migrate_pages modify_ldt mount move_pages open_by_handle_at perf_event_open pidfd_getfd
        pivot_root process_madvise process_vm_readv process_vm_writev ptrace quotactl quotactl_fd reboot request_key
        set_mempolicy setdomainname sethostname setns settimeofday swapoff swapon sysfs syslog umount2 unshare uselib
        userfaultfd ustat vhangup
        """
    )

    /// Terminal requests that inject input, select text or load a line discipline.
    static let forbiddenTerminalRequests: [UInt32] = [0x5412, 0x541C, 0x5423]
    /// The personalities that change nothing: plain Linux, and the question which one is set.
    static let allowedPersonalities: [UInt32] = [0, 0xFFFF_FFFF]
    /// The bits of `clone` that make a namespace.
    static let namespaceBits: [UInt64] = [
        0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
    ]

    private static func split(_ text: String) -> [String] {
        text.split { $0 == " " || $0 == "\n" }.map(String.init)
    }
}
