package import Auth
import Bytes
import Core
import HTTP
import Log
import Platform

/// The operations of one loop; each file beside its noun adds one.
package final class Endpoints {
    let services: Services
    let signIns: ActiveSignIns
    let activeKeys: ActiveKeys
    /// The jobs that are watched on this loop.
    let hub: LogHub
    let logPorts: LogPorts
    let healthDocument: [UInt8]
    let rates: RateLimits
    /// What is known of the identity providers.
    let directory: ProviderDirectory
    /// What the gates refused.
    let refusals: RefusalLog
    private var subscriptions: [any BusSubscription] = []
    private var streams: [ObjectIdentifier: (stream: any LiveStream, team: TeamID)] = [:]
    private var isCheckingStreams = false

    /// A revocation that nobody told of, such as a disabled account's, or an expired token cuts streams this late at most.
    private static let streamCheckInterval = Duration.seconds(3)
    /// Checks of sign-ins for one of memberships, which are told of on the bus: this is for a message that was lost.
    private static let membershipCheckTurns = 5

    /// Makes the operations and begins to listen for revocations.
    package init(_ services: Services) {
        self.services = services
        refusals = RefusalLog(audit: services.audit, time: services.time, loop: services.loop)
        rates = RateLimits(services.settings.rates, services.buckets, loop: services.loop)
        directory = ProviderDirectory(services.providerTransport, loop: services.loop)
        signIns = ActiveSignIns(accounts: services.accounts, time: services.time, loop: services.loop)
        activeKeys = ActiveKeys(services.apiKeys, time: services.time, loop: services.loop)
        let jobs = services.jobs
        logPorts = LogPorts(
            store: services.log,
            tail: services.tail,
            bus: services.bus,
            clock: services.time,
            loadJob: { (id) async throws(StoreError) in try await jobs.job(id, scope: .system)?.value },
            makeWaiter: { [loop = services.loop] in LoopWaiter(loop) }
        )
        hub = LogHub(ports: logPorts)
        healthDocument = document { writer in
            writer.beginObject()
            writer.member("status", "ok")
            writer.member("version", services.settings.version)
            writer.endObject()
        }
        subscriptions = [
            services.bus.subscribe(BusChannel.revoked) { [weak self] message in self?.revoked(message) },
            services.bus.subscribe(BusChannel.departed) { [weak self] message in self?.departed(message) },
        ]
    }

    /// Signs and verifies by other keys from now on.
    ///
    /// When one was given up, what people watch by their tokens is cut: any of those may be forged, and whose is good come
    /// back with another one.
    package func replaceKeys(_ ring: KeyRing, _ devices: DeviceTokens) {
        let hasLost = ring.disowns(services.keys, at: services.time.now)
        services.replaceKeys(ring, devices)
        guard hasLost else { return }
        cut(.expired) { principal, _ in
            guard case .person = principal else { return false }
            return true
        }
    }

    /// Keeps a live stream of a team's job until `release`, so that it ends with the right to it.
    func hold(_ stream: any LiveStream, of team: TeamID) {
        streams[ObjectIdentifier(stream)] = (stream, team)
        guard !isCheckingStreams else { return }
        isCheckingStreams = true
        services.loop.spawnLocal { await self.checkStreams() }
    }

    /// Forgets a stream that has ended.
    func release(_ stream: any LiveStream) {
        streams[ObjectIdentifier(stream)] = nil
    }

    private func revoked(_ message: [UInt8]?) {
        signIns.forget()
        activeKeys.forget()
        guard let ended = message.flatMap({ Standing(announced: $0) }) else { return }
        cut(.revoked) { principal, _ in principal.standing == ended }
    }

    /// Tells every loop and replica that a person is not in a team any more, so that their streams are cut.
    func announceDeparture(of user: UserID, from team: TeamID) {
        services.bus.publish(BusChannel.departed, Array("\(user) \(team)".utf8))
    }

    private func departed(_ message: [UInt8]?) {
        // Whoever has left took their keys along.
        activeKeys.forget()
        let words = String(decoding: message ?? [], as: UTF8.self).split(separator: " ")
        guard words.count == 2, let user = UserID(words[0]), let team = TeamID(words[1]) else { return }
        cut(.departed) { $0.member == user && $1 == team }
    }

    /// Looks after the open streams from time to time, as long as there are any.
    private func checkStreams() async {
        var turn = 0
        while !streams.isEmpty {
            await services.loop.sleep(Self.streamCheckInterval)
            await endStreams()
            turn += 1
            if turn % Self.membershipCheckTurns == 0 { await endStreamsOfDeparted() }
        }
        isCheckingStreams = false
    }

    /// Ends the streams whose token has expired or whose sign-in or key does not stand any more.
    func endStreams() async {
        let now = services.time.now
        cut(.expired) { principal, _ in principal.isExpired(at: now) }
        for standing in Set(streams.values.map(\.stream.principal.standing)) {
            // A store that is away cuts nobody: what it said last still holds.
            guard let stands = try? await stands(standing), !stands else { continue }
            cut(.revoked) { principal, _ in principal.standing == standing }
        }
    }

    /// Ends the streams of people who are not in the job's team any more.
    func endStreamsOfDeparted() async {
        for viewer in Set(streams.values.map { Viewer(user: $0.stream.principal.member, team: $0.team) }) {
            let team: Access<Team>?
            do { team = try await services.teams.team(viewer.team, scope: .user(viewer.user)) } catch { return }
            if team == nil { cut(.departed) { $0.member == viewer.user && $1 == viewer.team } }
        }
    }

    private func cut(_ end: StreamEnd, where isMeant: (Principal, TeamID) -> Bool) {
        for (key, held) in streams where isMeant(held.stream.principal, held.team) {
            streams[key] = nil
            held.stream.cut(end)
        }
    }
}

/// A person as a member of the team whose job they watch.
private struct Viewer: Hashable {
    let user: UserID
    let team: TeamID
}

/// The log's way to wait, filled with the loop's own.
private final class LoopWaiter: Waiter {
    private let condition = LoopCondition()
    private let loop: EventLoop

    init(_ loop: EventLoop) {
        self.loop = loop
    }

    func wait(timeout: Duration) async {
        _ = await condition.wait(timeout: timeout, on: loop)
    }

    func signal() {
        condition.signalAll()
    }
}
