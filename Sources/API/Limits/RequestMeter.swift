import Auth
import Bytes
import Core
import HTTP

/// What is known of one request's limits while it is answered.
final class RequestMeter {
    let kind: RouteClass
    /// The verdict that counts: a person's over that of their address.
    var verdict: RateVerdict?
    /// The address has been charged: once is enough.
    var isStrangerCharged = false
    /// The device that a try of a secret comes from, when it proved to be one.
    var device: KnownDevice?

    init(_ kind: RouteClass) {
        self.kind = kind
    }

    /// Tells the client of its limits.
    func describe(_ add: (String, String) -> Void) {
        guard let verdict else { return }
        add(RateLimitFields.policy, verdict.charges.policyField)
        add(
            RateLimitFields.limit,
            RateLimitFields.limitItem(
                verdict.bucket.policy.name,
                remaining: verdict.remaining,
                seconds: verdict.seconds
            )
        )
    }
}

extension HTTPRequest {
    /// The request's meter; nil where nothing is limited.
    var meter: RequestMeter? { companion as? RequestMeter }
}

extension Endpoints {
    /// Answers a request within the limits of its route, and says in every answer what they are.
    ///
    /// Without a person to be, the request is charged to its address here; else once its person is known.
    func answer(
        _ request: HTTPRequest,
        within limit: RouteLimit,
        _ operation: (Endpoints, HTTPRequest) async throws -> HTTPResponse
    ) async throws -> HTTPResponse {
        guard let kind = limit.kind else { return try await operation(self, request) }
        try rates.admitAny()
        let meter = RequestMeter(kind)
        request.companion = meter
        do {
            if limit.isPublic || !request.headers.contains("authorization") { try await admitStranger(request) }
            var response = try await operation(self, request)
            meter.describe { response.headers.append(name: $0, value: $1) }
            return response
        } catch {
            guard var problem = Endpoints.problem(error) else { throw error }
            if meter.verdict == nil {
                // Whoever proved to be nobody is a stranger, and tries no more tokens than one may.
                let verdict = await rates.take(address: request.remoteAddress, kind)
                meter.verdict = verdict
                if !verdict.isAllowed { problem = .rateLimited(verdict) }
            }
            meter.describe { problem.headers.append(($0, $1)) }
            throw ProblemError(problem)
        }
    }

    /// Charges a request of nobody that is known; refuses an address that asks without end.
    ///
    /// A try of a secret from a device that proves to be known is charged to the device.
    func admitStranger(_ request: HTTPRequest) async throws {
        guard let meter = request.meter, !meter.isStrangerCharged else { return }
        meter.isStrangerCharged = true
        if meter.kind == .auth, let text = request.headers[DeviceTokens.field] ?? request.cookie(.device) {
            meter.device = services.deviceTokens.read(text, now: services.time.now)
        }
        guard let device = meter.device else { return try await admitUnknownDevice(request) }
        try hold(meter, to: await rates.take(device: device))
    }

    /// Charges the address, as for a device that is not known to the account that it tries.
    func admitUnknownDevice(_ request: HTTPRequest) async throws {
        guard let meter = request.meter else { return }
        meter.device = nil
        try hold(meter, to: await rates.take(address: request.remoteAddress, meter.kind))
    }

    /// Charges a request to the device that it comes from.
    func charge(_ principal: Principal, _ request: HTTPRequest) async throws {
        guard let meter = request.meter else { return }
        try hold(meter, to: await rates.take(principal, meter.kind))
    }

    /// Gives back what a try of a secret was charged, because it was right.
    func giveBackTry(_ request: HTTPRequest) {
        guard let meter = request.meter, meter.kind == .auth, let verdict = meter.verdict else { return }
        rates.gate.settle(verdict.charges, -1)
    }

    private func hold(_ meter: RequestMeter, to verdict: RateVerdict) throws(ProblemError) {
        meter.verdict = verdict
        guard !verdict.isAllowed else { return }
        throw ProblemError(.rateLimited(verdict))
    }

    /// What the client is told of an error; nil for one that only a developer can mend.
    private static func problem(_ error: any Error) -> Problem? {
        switch error {
        case let error as ProblemError: error.problem
        case let error as StoreError: Problem(error)
        case let error as BodyError: Problem(error)
        default: nil
        }
    }
}

extension Problem {
    /// More was asked for than a policy allows.
    static func rateLimited(_ verdict: RateVerdict) -> Problem {
        rateLimited(verdict.bucket.policy.name, seconds: Int(clamping: verdict.seconds))
    }
}
