import Bytes
import Glibc
import HTTP
import Platform
import TestSupport
import Testing

extension EndToEnd.Unharmed {
    /// Looks for a needle everywhere in a sandbox, beside three places where it lies on purpose.
    private static let look = """
        needle=$(cat needle)
        printf %s "$needle" > /tmp/planted
        PLANTED="$needle" sleep 100 & one=$!
        mkfifo /tmp/hold
        sh -c 'read line < /tmp/hold' sh "$needle" & two=$!
        until grep -qsa sleep /proc/$one/cmdline; do :; done
        until grep -qsa 'read line' /proc/$two/cmdline; do :; done
        printf %s "$needle" |
            grep -rlsaF -f - --exclude=needle /proc/[0-9]*/environ /proc/[0-9]*/cmdline /tmp /workspace /home /state \\
                /etc /run /var /dev/shm /mnt /srv /opt/errand/*.* |
            sed "s#/proc/$one/#/proc/one/#; s#/proc/$two/#/proc/two/#" | sort > /tmp/found
        kill $one $two
        cat /tmp/found > found
        """
    private static let planted = "/proc/one/environ\n/proc/two/cmdline\n/tmp/planted\n"

    @Test(arguments: ["standin-key", "postgres-errand_app", "admin-password"])
    func `a command's sandbox holds no secret`(name: String) async throws {
        let errand = try SharedInstallation.get()
        let client = try await errand.administrator()
        let project = try await haystack(needle: try secret(name), client)
        let job = try await client.shell("sh look.sh; cat found", in: project)
        #expect(try await client.finished(job).state == "succeeded")
        let output = try await client.output(job)
        #expect(output == Self.planted)
    }

    @Test(.enabled(if: BuiltPrograms.agent != nil, "ERRAND_AGENT_PATH names no agent"))
    func `an agent's sandbox holds no model key`() async throws {
        let errand = try SharedInstallation.get()
        let client = try await errand.administrator()
        let project = try await haystack(needle: try secret("standin-key"), client)
        let job = try await client.prompt("standin: bash sh look.sh\nstandin: say looked", in: project)
        let end = try await client.finished(job)
        #expect(end.state == "succeeded", "\(end)")
        let found = try await client.shell("cat found", in: project)
        #expect(try await client.finished(found).state == "succeeded")
        let output = try await client.output(found)
        #expect(output == Self.planted)
    }

    @Test func `no secret stands in the arguments of a process`() async throws {
        let errand = try SharedInstallation.get()
        let client = try await errand.administrator()
        let job = try await client.shell("echo begun; sleep 600", in: try await client.project())
        try await JobViewer(job, client).until(stdout: "begun\n")
        let names = try Files.list("\(errand.data)/secrets")
        #expect(names.contains("standin-key") && names.count > 5)
        let secrets = try names.map { try secret($0) }
        func holders() -> [ProcessEntry] {
            ProcessTable.all().filter { process in
                process.arguments.contains { argument in secrets.contains { argument.contains($0) } }
            }
        }
        #expect(holders().isEmpty)
        let control = try await errand.start(program: ["sh", "-c", "echo up; read line", "sh", secrets[0]])
        #expect(await control.lines(atLeast: 1) == ["up"])
        #expect(!holders().isEmpty)
        await control.kill()
        try await client.expect([200, 202], .post, "/v1/jobs/\(job)/cancel")
        try await client.finished(job)
    }

    @Test func `no secret stands in the environment of a process`() async throws {
        let errand = try SharedInstallation.get()
        let supervisor = try await errand.pid()
        let secrets = try Files.list("\(errand.data)/secrets").map { Array(try secret($0).utf8) }
        func holders(_ processes: [ProcessEntry]) -> [ProcessEntry] {
            processes.filter { process in
                let environment = (try? Files.readAll("/proc/\(process.pid)/environ", limit: 1 << 20)) ?? []
                return secrets.contains { environment.firstRange(of: $0) != nil }
            }
        }
        let tree = ProcessTable.tree(of: supervisor)
        #expect(tree.count >= RunningErrand.Part.allCases.count)
        #expect(holders(tree).isEmpty)
        let planted = String(decoding: try #require(secrets.first), as: UTF8.self)
        let control = try await errand.start(program: ["PLANTED=\(planted)", "sh", "-c", "echo up; read line"])
        #expect(await control.lines(atLeast: 1) == ["up"])
        #expect(!holders(ProcessTable.tree(of: getpid())).isEmpty)
        await control.kill()
    }

    private func secret(_ name: String) throws -> String {
        let path = "\(try SharedInstallation.get().data)/secrets/\(name)"
        let secret = String(decoding: try Files.readAll(path, limit: 4_096), as: UTF8.self)
        return String(secret.prefix { $0 != "\n" })
    }

    /// A project with the needle and the script; both come in through standard input, which no process shows.
    private func haystack(needle: String, _ client: ErrandClient) async throws -> String {
        let project = try await client.project()
        for (name, text) in [("needle", needle), ("look.sh", Self.look)] {
            let job = try await client.shell("cat > \(name)", in: project, [("stdin", .string(text))])
            #expect(try await client.finished(job).state == "succeeded")
        }
        return project
    }
}
