import Bytes
import Core
import HTTP
import Platform
import Testing

@testable import API

@Suite struct SignInFloodTests {
    @Test func `a thousand sign-ins at once fill the pool, answer 503 beyond it, and starve nobody else`() async throws
    {
        try await withAPI { world in
            world.rates = RateSettings(
                requestsPerSecond: 100_000,
                anonymousRequestsPerSecond: 100_000,
                signInsPerMinute: 1_000_000
            )
            let replica = world.addReplica()
            let person = try await world.person()
            let token = try await world.device(of: person).token
            var answers: [APIAnswer] = []
            let done = LoopCondition()
            let count = 1_000
            for index in 0..<count {
                // Accounts and addresses of their own: none of them waits for having failed.
                let form = JSONValue.form(["email": "nobody\(index)@example.org", "password": "wrong password"])
                let address = "10.0.\(index / 250).\(index % 250)"
                world.loop.spawnLocal {
                    let answer = try? await world.send(
                        .post,
                        "/v1/auth/login",
                        form,
                        address: address,
                        replica: replica
                    )
                    if let answer { answers.append(answer) }
                    done.signalAll()
                }
            }
            var waits: [Duration] = []
            let end = world.loop.now.advanced(by: .seconds(120))
            while answers.count < count, world.loop.now < end {
                let began = world.loop.now
                #expect(try await world.send(.get, "/v1/me", token: token, replica: replica).status == 200)
                waits.append(world.loop.now - began)
                _ = await done.wait(timeout: .milliseconds(50), on: world.loop)
            }
            #expect(answers.count == count)
            let refused = answers.filter { $0.status == 503 }
            #expect(refused.allSatisfy { $0.code == "overloaded" && $0.headers["retry-after"] != nil })
            let admitted = answers.filter { $0.status == 401 }
            #expect(admitted.count + refused.count == count)
            // Two threads and a queue of 64: what found room there was served to its end.
            #expect(admitted.count >= 64 && refused.count > count / 2, "\(admitted.count)")
            // The flood's own queries go first; a hash on the loop would hold it up for as long as all of them take.
            let sorted = waits.sorted()
            #expect(sorted[sorted.count / 2] < .milliseconds(500), "\(sorted.last ?? .zero)")
        }
    }
}
