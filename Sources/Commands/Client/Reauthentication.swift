import Bytes
import HTTP

extension Client {
    /// Sends a request; when the server wants to know again who sits here, asks for the proof and sends it once more.
    func confirmed<Answer>(_ request: () async throws -> Answer) async throws -> Answer {
        do {
            return try await request()
        } catch let failure as CommandFailure where failure.problemCode == "reauthentication_required" {
            let question = "Password, or a code of your authenticator, to go on: "
            let typed = try await proof(question, isSecret: true, failure)
            do {
                try await prove(typed)
            } catch let refusal as CommandFailure where refusal.problemCode == "code_required" {
                try await prove(proof("This account has a second factor. Code: ", isSecret: false, failure))
            }
            return try await request()
        }
    }

    private func proof(_ question: String, isSecret: Bool, _ failure: CommandFailure) async throws -> String {
        guard let typed = try await PersonalInput.ask(question, isSecret: isSecret) else {
            throw CommandFailure(
                "\(failure); there is no terminal to ask on: sign in again with `errand login` just before",
                exitCode: ExitCode.refused
            )
        }
        return typed
    }

    private func prove(_ typed: String) async throws {
        let member = SecondStep.isCode(typed) ? "otp" : "password"
        let body = JSONValue.object(JSONObject([(member, .string(typed))]))
        _ = try await session.call(.post, "/v1/auth/reauthenticate", body: body, repeats: .never)
    }
}
