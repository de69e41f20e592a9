import Glibc
package import Platform

extension DataDirectory {
    /// Shell text without any value in it: the paths come as arguments.
    private static let bindAndRun = #"mount --bind "$1" "$2" && shift 2 && exec "$@""#

    /// The program as it runs under another account; unchanged when there is none.
    ///
    /// The change of account clears the death signal that the supervisor set, so it is set again.
    package func running(
        _ spec: ProcessSpec,
        as user: SystemUser?,
        deathSignal: String = "TERM",
        mayGainPrivileges: Bool = true
    ) -> ProcessSpec {
        guard let user, SystemUser.isRoot else { return spec }
        var command = [
            "setpriv", "--reuid=\(user.userID)", "--regid=\(user.groupID)", "--clear-groups",
            "--pdeathsig=\(deathSignal)",
        ]
        if !mayGainPrivileges { command += ["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"] }
        command += ["--", spec.path] + spec.arguments.dropFirst()
        if childRoot != root {
            command =
                ["unshare", "--mount", "--propagation=private", "--", "/bin/sh", "-c", Self.bindAndRun, "sh"]
                + [root, childRoot] + command
        }
        var wrapped = spec
        wrapped.path = "/usr/bin/\(command[0])"
        wrapped.arguments = command
        if wrapped.environment["PATH"] == nil {
            wrapped.environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        }
        return wrapped
    }
}
