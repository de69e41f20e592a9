import Auth
import Bytes
import Core
import Platform

/// Why a provider cannot prove anybody at this moment, as a sentence for whoever looks after it.
enum ProviderFailure: Error, Equatable {
    /// It does not answer, or says that it cannot: another time it may.
    case unavailable(String)
    /// What it answers cannot be used, or must not be believed.
    case faulty(String)
}

/// What one loop knows of the providers: their descriptions and keys, each asked for by one request at a time.
///
/// Nothing is believed after its time, also while a provider is away: then nobody signs in by it.
final class ProviderDirectory {
    /// How long a description or a key set is believed, whatever the provider says.
    static let ages = Duration.seconds(300)...Duration.seconds(86_400)
    /// How long, when it says nothing.
    static let standardAge = Duration.seconds(3_600)
    /// A token by an unknown key has the keys asked for again, this often at most: anybody could make such tokens.
    static let refreshInterval = Duration.seconds(60)
    /// Providers remembered; an administrator has a handful.
    static let capacity = 100

    private let transport: any ProviderTransport
    private let clock: () -> Instant
    private var known: [ProviderID: KnownProvider] = [:]

    /// A directory on the loop's clock, or on a test's.
    init(_ transport: any ProviderTransport, loop: EventLoop, clock: (() -> Instant)? = nil) {
        self.transport = transport
        self.clock = clock ?? { [loop] in loop.now }
    }

    /// Where a provider is reached and what it can do.
    func metadata(of provider: OpenIDProvider) async throws(ProviderFailure) -> ProviderMetadata {
        try await entry(of: provider).metadata.value(clock) { [self] () throws(ProviderFailure) in
            let place = (provider.issuer.hasSuffix("/") ? String(provider.issuer.dropLast()) : provider.issuer)
            let answer = try await get(place + ProviderMetadata.place, "description", provider)
            do throws(ProviderMetadataError) {
                let metadata = try ProviderMetadata(document: answer.body, issuer: provider.issuer)
                for url in [metadata.authorizationEndpoint, metadata.tokenEndpoint, metadata.keysURL] {
                    guard let fault = transport.fault(of: url, isInternal: provider.isInternal) else { continue }
                    throw ProviderMetadataError("\(url) \(fault)")
                }
                return (metadata, Self.age(answer.cacheControl))
            } catch {
                throw ProviderFailure.faulty(error.description)
            }
        }
    }

    /// The claims of an ID token that the provider signed; a key that is not known yet is asked for.
    func verify(
        _ token: String,
        _ expected: IDTokenExpectation,
        of provider: OpenIDProvider,
        now: Timestamp
    ) async throws -> IDToken {
        let entry = entry(of: provider)
        let keys = try await keys(of: provider)
        do throws(TokenError) {
            return try expected.verify(token, keys: keys, now: now)
        } catch {
            guard error == .unknownKey else { throw error }
            // Who comes while they are asked for anyhow waits for them.
            if !entry.keys.isAsking {
                guard let asked = entry.keys.askedAt, clock() - asked >= Self.refreshInterval else { throw error }
                entry.keys.forget()
            }
        }
        return try expected.verify(token, keys: try await self.keys(of: provider), now: now)
    }

    /// The provider's keys.
    func keys(of provider: OpenIDProvider) async throws(ProviderFailure) -> ProviderKeySet {
        let url = try await metadata(of: provider).keysURL
        return try await entry(of: provider).keys.value(clock) { [self] () throws(ProviderFailure) in
            let answer = try await get(url, "keys", provider)
            do throws(TokenError) {
                return (try ProviderKeySet(document: answer.body), Self.age(answer.cacheControl))
            } catch {
                throw ProviderFailure.faulty("its key set is no JWK set")
            }
        }
    }

    /// Changes a provider's code into its tokens' answer; not repeated, for a code counts once.
    func send(_ request: ProviderRequest) async throws(ProviderFailure) -> ProviderAnswer {
        do throws(ProviderTransportError) {
            return try await transport.send(request)
        } catch {
            throw Self.failure(error)
        }
    }

    private func get(
        _ url: String,
        _ what: String,
        _ provider: OpenIDProvider
    ) async throws(ProviderFailure) -> ProviderAnswer {
        let answer = try await send(ProviderRequest(url: url, isInternal: provider.isInternal))
        switch answer.status {
        case 200: return answer
        case 429, 500...599: throw .unavailable("it answers \(answer.status) for its \(what)")
        default: throw .faulty("it answers \(answer.status) for its \(what)")
        }
    }

    private func entry(of provider: OpenIDProvider) -> KnownProvider {
        if let entry = known[provider.id] { return entry }
        if known.count >= Self.capacity { known.removeAll() }
        let entry = KnownProvider()
        known[provider.id] = entry
        return entry
    }

    private static func failure(_ error: ProviderTransportError) -> ProviderFailure {
        switch error {
        case .forbidden(let text): .faulty(text)
        case .unreachable(let text): .unavailable(text)
        case .tooLong: .faulty("its answer is longer than any that is believed")
        case .busy: .unavailable("too many requests to providers are under way")
        }
    }

    /// The age that an answer allows, within our own bounds.
    static func age(_ cacheControl: String) -> Duration {
        let words = cacheControl.lowercased().split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" } }
        if words.contains("no-store") || words.contains("no-cache") { return ages.lowerBound }
        guard let text = words.first(where: { $0.hasPrefix("max-age=") })?.dropFirst("max-age=".count),
            let seconds = UInt32(text)
        else { return standardAge }
        return min(max(.seconds(Int64(seconds)), ages.lowerBound), ages.upperBound)
    }
}

/// What is known of one provider.
private final class KnownProvider {
    let metadata = SharedAnswer<ProviderMetadata>()
    let keys = SharedAnswer<ProviderKeySet>()
}

/// An answer that several wait for and one asks for, kept for its time.
private final class SharedAnswer<Value> {
    /// When it was last asked for, whatever came of it.
    private(set) var askedAt: Instant?
    private var value: (value: Value, until: Instant)?
    private var asking: Asking?
    /// Whether somebody asks at this moment.
    var isAsking: Bool { asking != nil }

    private final class Asking {
        let done = LoopCondition()
        var failure: ProviderFailure?
    }

    /// The value, asked for when there is none that is fresh; who comes meanwhile gets the same answer.
    func value(
        _ clock: () -> Instant,
        _ ask: () async throws(ProviderFailure) -> (Value, Duration)
    ) async throws(ProviderFailure) -> Value {
        if let value, clock() < value.until { return value.value }
        if let asking {
            // Whoever asks is bounded by the transport's own time.
            await asking.done.wait()
            if let failure = asking.failure { throw failure }
            if let value { return value.value }
            throw .unavailable("it was asked for in vain")
        }
        let mine = Asking()
        (asking, askedAt) = (mine, clock())
        defer {
            asking = nil
            mine.done.signalAll()
        }
        do throws(ProviderFailure) {
            let (fresh, age) = try await ask()
            value = (fresh, clock().advanced(by: age))
            return fresh
        } catch {
            mine.failure = error
            throw error
        }
    }

    /// Has the next one ask again.
    func forget() { value = nil }
}
