import Core

/// The rates of an installation; everything else about them follows from these three.
package struct RateSettings: Sendable {
    /// What one person may ask for in the long run.
    package var requestsPerSecond: Int
    /// What one address may ask for without being signed in.
    package var anonymousRequestsPerSecond: Int
    /// Passwords, codes and the like that may be tried from one address; what succeeds is given back.
    package var signInsPerMinute: Int

    /// Makes settings.
    package init(requestsPerSecond: Int = 50, anonymousRequestsPerSecond: Int = 20, signInsPerMinute: Int = 10) {
        self.requestsPerSecond = requestsPerSecond
        self.anonymousRequestsPerSecond = anonymousRequestsPerSecond
        self.signInsPerMinute = signInsPerMinute
    }

    /// A page that opens, or a script that submits its jobs, asks for much at once and then for little: eight seconds' worth.
    private static let burstSeconds = 8
    /// The sites behind one /48 are about as many as share a provider's customer.
    private static let aggregateFactor = 8
    /// As many people as one loop serves at their full rate.
    private static let people = 200

    /// All that a person does.
    var person: RatePolicy { policy("person", percent: 100) }
    /// What one device or key of a person does: it leaves the others a fifth when it runs wild.
    var device: RatePolicy { policy("device", percent: 80) }

    /// What a person does of one kind; nil where the person's own rate is the limit.
    func kind(_ kind: RouteClass) -> RatePolicy? {
        switch kind {
        case .read: nil
        // A stolen token is no way to try passwords faster.
        case .auth: signIns("proof", factor: 1)
        // A change costs a commit, a run a process, a stream stays: each leaves room for looking things up.
        case .write: policy("write", percent: 60)
        case .run: policy("run", percent: 60)
        case .stream: policy("stream", percent: 40)
        // A workspace is many megabytes.
        case .upload: policy("upload", percent: 10)
        }
    }

    /// Requests of an address without a person, five seconds' worth at once.
    var address: RatePolicy { Self.perSecond("address", anonymousRequestsPerSecond, seconds: 5) }
    /// The same of all addresses of a site.
    var network: RatePolicy {
        Self.perSecond("network", anonymousRequestsPerSecond * Self.aggregateFactor, seconds: 5)
    }
    /// Secrets that an address tries: an office signs in together, a guesser gets ten a minute.
    var signIn: RatePolicy { signIns("sign-in", factor: 1) }
    /// The same of all addresses of a site.
    var signInNetwork: RatePolicy { signIns("sign-in-network", factor: Self.aggregateFactor) }
    /// Secrets that a device tries where it was signed in from before.
    var signInDevice: RatePolicy { signIns("sign-in-device", factor: 1) }

    /// Wrong user codes of devices that all people together may try: a guesser with many accounts meets one of a thousand
    /// devices that wait once in a year.
    var userCodes: RatePolicy { RatePolicy(name: "user-code", burst: 60, interval: .seconds(1)) }

    /// All requests of one loop, so that no flood of strangers starves it.
    var all: RatePolicy {
        Self.perSecond("all", requestsPerSecond * Self.people, seconds: 2)
    }

    private func policy(_ name: String, percent: Int) -> RatePolicy {
        Self.perSecond(name, max(1, requestsPerSecond * percent / 100), seconds: Self.burstSeconds)
    }

    private func signIns(_ name: String, factor: Int) -> RatePolicy {
        let perMinute = signInsPerMinute * factor
        return RatePolicy(name: name, burst: 2 * perMinute, interval: .seconds(60) / perMinute)
    }

    private static func perSecond(_ name: String, _ rate: Int, seconds: Int) -> RatePolicy {
        RatePolicy(name: name, burst: rate * seconds, interval: .seconds(1) / rate)
    }
}
