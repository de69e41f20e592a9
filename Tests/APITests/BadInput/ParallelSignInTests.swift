import Bytes
import Core
import HTTP
import Platform
import Testing

@testable import API

/// Many people who sign in at one moment.
@Suite(.timeLimit(.minutes(5))) struct ParallelSignInTests {
    @Test func `a thousand right sign-ins at once get in or are told to come again, and nobody else waits for them`()
        async throws
    {
        try await withAPI { world in
            var people: [APIPerson] = []
            for _ in 0..<20 { people.append(try await world.person()) }
            let token = try await world.device(of: people[0]).token
            func login(_ number: Int) async throws -> APIAnswer {
                let form = JSONObject([
                    ("email", .string(people[number % people.count].user.email)),
                    ("password", .string(APIWorld.password)),
                ])
                // From a place of its own each, as fifty devices of twenty people.
                let address = "10.0.\(number / 250).\(number % 250)"
                return try await world.send(.post, "/v1/auth/login", .object(form), address: address)
            }
            var admittedBefore: [Int] = []
            var admittedSoFar = 0
            let answers = try await world.atOnce(1_010) { number in
                if number.isMultiple(of: 101) {
                    let answer = try await world.send(.get, "/v1/me", token: token)
                    admittedBefore.append(admittedSoFar)
                    return answer
                }
                let answer = try await login(number)
                if answer.status == 200 { admittedSoFar += 1 }
                return answer
            }
            let tries = answers.enumerated().filter { !$0.offset.isMultiple(of: 101) }
            #expect(tries.count == 1_000)
            for number in stride(from: 0, to: 1_010, by: 101) { #expect(answers[number].status == 200) }
            let admitted = tries.filter { $0.element.status == 200 }
            let refused = tries.filter { $0.element.status == 503 }
            #expect(admitted.count + refused.count == 1_000)
            // A hash on the loop, or a line for all, would have had them wait for the sign-ins before them.
            #expect(admittedBefore.count == 10 && admittedBefore.allSatisfy { $0 < admitted.count / 2 })
            // Two threads, and a queue of 64 behind them.
            #expect(admitted.count >= 64 && !refused.isEmpty, "\(admitted.count)")
            #expect(refused.allSatisfy { $0.element.code == "overloaded" && $0.element.headers["retry-after"] == "1" })
            let tokens = try admitted.map { try APITokens($0.element) }
            #expect(Set(tokens.map(\.access)).count == tokens.count && Set(tokens.map(\.refresh)).count == tokens.count)
            // Whoever was sent away is not counted as a guesser.
            for (number, _) in refused.prefix(3) { #expect(try await login(number).status == 200) }
        }
    }

    @Test func `the devices of one account together take a share of the hashing, and somebody else gets in`()
        async throws
    {
        try await withAPI { world in
            world.rates = RateSettings(signInsPerMinute: 1_000_000)
            let (greedy, other) = (try await world.person(), try await world.person())
            var devices: [String] = []
            for _ in 0..<12 { devices.append(try #require(try await world.signIn(greedy).device)) }
            let answers = try await world.atOnce(49) { number in
                let person = number < 48 ? greedy : other
                let form = JSONValue.form(["email": person.user.email, "password": APIWorld.password])
                let headers = number < 48 ? [("errand-device", devices[number % 12])] : []
                return try await world.send(.post, "/v1/auth/login", form, headers: headers)
            }
            #expect(answers[48].status == 200)
            let refused = answers.filter { $0.status == 503 }
            // All of them would have found room: 66 places stand against 49.
            #expect(!refused.isEmpty && refused.allSatisfy { $0.code == "overloaded" })
            #expect(answers.count { $0.status == 200 } == 49 - refused.count)
        }
    }

    @Test func `of a thousand wrong sign-ins at once five are judged, and the owner's device gets in`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let known = try #require(try await world.signIn(person, address: "192.0.2.1").device)
            func login(_ password: String, _ headers: [(String, String)] = []) async throws -> APIAnswer {
                let form = JSONObject([("email", .string(person.user.email)), ("password", .string(password))])
                return try await world.send(.post, "/v1/auth/login", .object(form), headers: headers)
            }
            let answers = try await world.atOnce(1_000) { _ in try await login("wrong horse battery") }
            #expect(answers.count { $0.status == 401 && $0.code == "wrong_credentials" } == 5)
            let waiting = answers.filter { $0.status == 429 }
            #expect(waiting.count == 995)
            #expect(waiting.allSatisfy { ["sign_in_throttled", "rate_limited"].contains($0.code) })
            #expect(waiting.allSatisfy { $0.headers["retry-after"] != nil })
            #expect(try await login(APIWorld.password, [("errand-device", known)]).status == 200)
        }
    }
}
