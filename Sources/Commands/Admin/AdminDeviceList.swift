import Bytes
import Core
package import Platform
import Store

/// `errand admin device list EMAIL`: where somebody is signed in.
package struct AdminDeviceList: Verb {
    package static let words = ["admin", "device", "list"]
    package static let usage = "EMAIL [options]"
    package static let summary = "List the devices that an account is signed in on, newest first."
    package static let options = [AdminOptions.data, AdminOptions.json]

    private let arguments: Arguments
    private let email: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        email = try arguments.exactly("EMAIL")[0].lowercased()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let now = WallClock.now()
        let devices = try await AdminSession.run(arguments, on: loop) { store in
            try await store.accounts.signIns(of: AdminTeams.account(email, in: store).id, now: now)
        }
        let documents = devices.map { device in
            JSONValue.object(
                JSONObject([
                    ("id", .string(device.id.description)), ("name", .string(device.deviceName)),
                    ("client", .string(device.clientID)), ("address", .string(device.address)),
                    ("user_agent", .string(device.userAgent)), ("created_at", .string(device.createdAt.rfc3339)),
                    ("last_used_at", .string(device.lastUsedAt.rfc3339)),
                    ("expires_at", .string(device.expiresAt.rfc3339)),
                ])
            )
        }
        if arguments.has("--json") {
            terminal.put(JSONValue.array(documents).encoded() + [UInt8(ascii: "\n")])
        } else {
            let table = DeviceTable.layOut(documents, now: now)
            for line in table.lines(width: ClientEnvironment.terminalWidth()) { terminal.print(line) }
        }
        return ExitCode.done
    }
}

extension AccountStore {
    /// All sign-ins of a person that stand, newest first.
    func signIns(of user: UserID, now: Timestamp) async throws(StoreError) -> [SignIn] {
        var found: [SignIn] = []
        while true {
            let page = try await signIns(of: user, before: found.last?.id, limit: 200, now: now)
            found += page.items
            guard page.hasMore else { return found }
        }
    }
}
