import Bytes
import Core

extension JobWork {
    /// The text that is stored; its kind is a column of its own.
    var storedJSON: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        switch self {
        case .claude(let spec):
            writer.member("prompt", spec.prompt)
            writer.member("model", spec.model)
            writer.member("max_turns", spec.maxTurns)
        case .command(let spec):
            writer.key("argv")
            writer.beginArray()
            for argument in spec.argv { writer.string(argument) }
            writer.endArray()
            writer.key("env")
            writer.beginObject()
            for (name, value) in spec.environment.sorted(by: { $0.key < $1.key }) { writer.member(name, value) }
            writer.endObject()
            writer.member("stdin", spec.standardInput)
        }
        writer.endObject()
        return writer.bytes
    }

    /// Reads what `storedJSON` wrote; nil when it is something else.
    init?(kind: JobKind, stored value: JSONValue) {
        switch kind {
        case .claude:
            guard let prompt = value["prompt"]?.string else { return nil }
            let turns = value["max_turns"]?.integer.map { Int($0) }
            self = .claude(ClaudeSpec(prompt: prompt, model: value["model"]?.string, maxTurns: turns))
        case .command:
            guard let argv = value["argv"]?.array?.compactMap(\.string), let env = value["env"]?.object else {
                return nil
            }
            let environment = Dictionary(env.members.map { ($0.name, $0.value.string ?? "") }) { first, _ in first }
            let input = value["stdin"]?.string
            self = .command(CommandSpec(argv: argv, environment: environment, standardInput: input))
        }
    }
}
