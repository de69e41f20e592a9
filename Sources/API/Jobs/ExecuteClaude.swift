import Bytes
import Core
import HTTP

extension Endpoints {
    /// Sends the coding agent on an errand: `POST /v1/claude/execute`.
    func executeClaude(_ request: HTTPRequest, _ call: PersonCall) async throws -> HTTPResponse {
        let (form, spec) = try await request.jsonObject(limit: BodyLimits.job) { fields in
            let form = JobForm(&fields)
            let spec = ClaudeSpec(
                prompt: fields.prompt("prompt") ?? "",
                model: fields.modelName("model"),
                maxTurns: fields.integer("max_turns", in: 1...JobLimits.turns)
            )
            return (form, spec)
        }
        return try await submit(form, .claude(spec), request, call)
    }
}

extension FieldReader {
    /// What the agent is asked; a form that was sent empty by mistake would cost a turn of the model.
    fileprivate mutating func prompt(_ name: String) -> String? {
        guard let text = string(name, maximum: JobLimits.promptBytes) else { return nil }
        guard PlainName.isVisible(text) else {
            fault(name, "must have a visible character")
            return nil
        }
        return text
    }

    /// A model's name: what model names are made of, and never something that looks like an option.
    fileprivate mutating func modelName(_ name: String) -> String? {
        guard let text = string(name, maximum: 128, required: false) else { return nil }
        let isPlain = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "-._:/@[]".utf8.contains(byte)
        }
        guard isPlain, !text.hasPrefix("-") else {
            fault(name, "must be letters, digits and -._:/@[] and not begin with a dash")
            return nil
        }
        return text
    }
}
