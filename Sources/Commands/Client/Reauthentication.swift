import Bytes
import HTTP

extension Client {
    /// Sends a request; when the server wants to know again who sits here, asks for the password or a code and sends
    /// it once more.
    func confirmed<Answer>(_ request: () async throws -> Answer) async throws -> Answer {
        do {
            return try await request()
        } catch let failure as CommandFailure where failure.problemCode == "reauthentication_required" {
            let question = "Password, or a code of your authenticator, to go on: "
            guard let typed = try await PersonalInput.ask(question, isSecret: true) else {
                throw CommandFailure(
                    "\(failure); there is no terminal to ask on: sign in again with `errand login` just before",
                    exitCode: ExitCode.refused
                )
            }
            let member = SecondStep.isCode(typed) ? "otp" : "password"
            let body = JSONValue.object(JSONObject([(member, .string(typed))]))
            _ = try await session.call(.post, "/v1/auth/reauthenticate", body: body, repeats: .never)
            return try await request()
        }
    }
}
