import Platform

extension Doctor {
    /// Tries it, because several switches of several distributions forbid it.
    static func userNamespaces(on loop: EventLoop) async -> Finding {
        let name = "user namespaces"
        let fix = """
            set sysctl user.max_user_namespaces above 0, and where they exist kernel.unprivileged_userns_clone=1 and \
            kernel.apparmor_restrict_unprivileged_userns=0; in a container, allow unshare in its seccomp profile
            """
        guard let program = Program.find("unshare") else {
            return .failure(name, "the program unshare is missing", fix: "install the package util-linux")
        }
        let arguments = ["unshare", "--user", "--map-root-user", "--pid", "--mount", "--net", "--fork", "/bin/true"]
        do {
            let result = try await Program.run(
                ProcessSpec(path: program, arguments: arguments),
                timeout: .seconds(10),
                on: loop
            )
            guard result.status.isSuccess else { return .failure(name, oneLine(result.diagnostics), fix: fix) }
            return .fine(name, "allowed, at most \(readLine("/proc/sys/user/max_user_namespaces") ?? "?")")
        } catch {
            return .failure(name, "\(error)", fix: fix)
        }
    }

    static func kernel() -> [Finding] {
        [cgroups(), landlock(), seccomp(), corePattern()]
    }

    private static func cgroups() -> Finding {
        guard let controllers = readLine("/sys/fs/cgroup/cgroup.controllers") else {
            let fix = "boot with systemd.unified_cgroup_hierarchy=1; until then jobs are limited by rlimits alone"
            return .warning("cgroups", "version 2 is not mounted at /sys/fs/cgroup", fix: fix)
        }
        let missing = ["memory", "pids", "cpu"].filter { !controllers.split(separator: " ").contains(Substring($0)) }
        guard missing.isEmpty else {
            let fix = "delegate the controllers, with systemd by Delegate=yes in the unit"
            return .warning("cgroups", "version 2 without \(missing.joined(separator: ", "))", fix: fix)
        }
        return .fine("cgroups", "version 2 with \(controllers)")
    }

    private static func landlock() -> Finding {
        guard let version = Kernel.landlockVersion else {
            let fix = "boot with lsm=landlock,… ; namespaces alone then guard the files"
            return .warning("Landlock", "not available", fix: fix)
        }
        return .fine("Landlock", "version \(version)")
    }

    private static func seccomp() -> Finding {
        guard let actions = readLine("/proc/sys/kernel/seccomp/actions_avail"), actions.contains("kill_process") else {
            return .failure("seccomp", "filters are not available", fix: "use a kernel with CONFIG_SECCOMP_FILTER")
        }
        return .fine("seccomp", actions)
    }

    private static func corePattern() -> Finding {
        guard let pattern = readLine("/proc/sys/kernel/core_pattern"), pattern.hasPrefix("|") else {
            return .fine("core dumps", "written by the process that crashes, inside its sandbox")
        }
        let fix = "set sysctl kernel.core_pattern=core; jobs run with a core limit of 0 in any case"
        return .warning("core dumps", "handed to a program outside the sandbox: \(pattern)", fix: fix)
    }

    static func readLine(_ path: String) -> String? {
        guard let bytes = try? Files.readAll(path, limit: 64 * 1024) else { return nil }
        let line = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return line.isEmpty ? nil : line
    }

    static func oneLine(_ text: String) -> String {
        text.split(separator: "\n").joined(separator: "; ")
    }
}
