import Bytes
import Crypto
import Platform
import TestSupport
import Testing

/// Tests against whole installations, one after the other: each has several processes of its own.
@Suite(.serialized)
struct EndToEnd {}

/// One installation for all tests of a suite that leave it as they found it.
struct SharedInstallation: SuiteTrait, TestScoping {
    @TaskLocal static var current: RunningErrand?

    /// What `errand up` is started with.
    var environment: [String: String] = [:]

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        // These tests ask without a pause, as no person does; limits have tests of their own.
        let settings = ["ERRAND_REQUESTS_PER_SECOND": "1000"].merging(environment) { $1 }
        try await RunningErrand.with(settings) { running in
            try await Self.$current.withValue(running) { try await function() }
        }
    }

    /// The installation of the present suite.
    static func get() throws -> RunningErrand { try #require(current) }
}

extension Trait where Self == SharedInstallation {
    /// Starts an installation before the suite and stops it afterwards.
    static var sharedInstallation: SharedInstallation { SharedInstallation() }

    /// The same with settings of its own.
    static func sharedInstallation(_ environment: [String: String]) -> SharedInstallation {
        SharedInstallation(environment: environment)
    }
}

/// Holds a viewer to what the server says the log of an attempt is: numbers, bytes and digest.
func expectWhole(_ viewer: JobViewer, attempt: Int = 1, _ place: SourceLocation = #_sourceLocation) async throws {
    let completed = try #require(await viewer.completed, sourceLocation: place)
    let records = await viewer.records.filter { $0.attempt == attempt }
    let bytes = records.flatMap(\.bytes)
    #expect(records.map(\.seq) == Array(1..<records.count + 1), sourceLocation: place)
    #expect(completed["attempt"]?.integer == Int64(attempt), sourceLocation: place)
    #expect(completed["records"]?.integer == Int64(records.count), sourceLocation: place)
    #expect(completed["bytes"]?.integer == Int64(bytes.count), sourceLocation: place)
    #expect(completed["sha256"]?.string == Hex.encode(Digest.sha256(bytes)), sourceLocation: place)
}

/// A script that says `tick 1` to `tick n`, and what it prints.
enum Ticks {
    static func script(_ count: Int, every seconds: String) -> String {
        "for i in $(seq 1 \(count)); do echo tick $i; sleep \(seconds); done"
    }

    static func output(_ count: Int) -> String { (1...count).map { "tick \($0)\n" }.joined() }
}

extension JSONValue {
    var state: String? { self["state"]?.string }
    var reason: String? { self["reason"]?.string }
}

/// What a test waited for in vain.
struct NeverHappened: Error {
    let what: String
}
