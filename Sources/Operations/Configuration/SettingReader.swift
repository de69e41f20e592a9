import Platform

/// A setting as `errand config` lists it.
package struct ListedSetting: Hashable, Sendable {
    /// Where a value comes from.
    package enum Origin: String, Sendable {
        /// The environment.
        case environment
        /// The file that `ERRAND_CONFIG_FILE` names.
        case file
        /// Neither: it is the default.
        case standard = "default"
    }

    /// The variable.
    package let name: String
    /// The effective value as far as it may be shown, nil when there is none.
    package let shown: String?
    /// Where the value comes from.
    package let origin: Origin
    /// What the setting means.
    package let summary: String
    /// How much of the value may be shown.
    let disclosure: Disclosure
}

/// Reads settings one by one, collecting every problem and the listing.
struct SettingReader {
    private let environment: [String: String]
    private let file: [String: String]
    private(set) var problems: [SettingProblem] = []
    private(set) var listed: [ListedSetting] = []
    /// The secrets that were given, so that the log can keep them out.
    private(set) var secrets: [Secret] = []

    init(environment: [String: String], file: [String: String]) {
        self.environment = environment
        self.file = file
    }

    /// The value, or nil when the variable is not set, empty, or wrong.
    mutating func read<Value>(_ setting: Setting<Value>) -> Value? {
        let origin: ListedSetting.Origin
        let text: String?
        if let given = given(setting.name, in: environment, isSecret: setting.disclosure != .plain) {
            (text, origin) = (given, .environment)
        } else if let given = given(setting.name, in: file, isSecret: setting.disclosure != .plain) {
            (text, origin) = (given, .file)
        } else {
            (text, origin) = (setting.standard, .standard)
        }
        if let text, setting.disclosure == .secret { secrets.append(Secret(text)) }
        listed.append(
            ListedSetting(
                name: setting.name,
                shown: text.map { setting.disclosure.show($0) },
                origin: origin,
                summary: setting.summary,
                disclosure: setting.disclosure
            )
        )
        guard let text else { return nil }
        do throws(SettingFix) {
            return try setting.parse(text)
        } catch {
            let shown = setting.disclosure == .plain ? "\"\(text)\" is not valid" : "the value is not valid"
            problems.append(SettingProblem(name: setting.name, problem: shown, fix: error.text))
            return nil
        }
    }

    /// The value, or the fallback when it is wrong: the problem is noted, the fallback is never used.
    mutating func read<Value>(_ setting: Setting<Value>, orElse fallback: Value) -> Value {
        read(setting) ?? fallback
    }

    mutating func note(_ problem: SettingProblem) {
        problems.append(problem)
    }

    /// Variables that look like settings but are none: most likely misspelt.
    func unknownNames() -> [String] {
        let known = Set(listed.flatMap { [$0.name, $0.name + "_FILE"] } + ["ERRAND_CONFIG_FILE"])
        return Set(environment.keys).union(file.keys).filter { $0.hasPrefix("ERRAND_") && !known.contains($0) }.sorted()
    }

    /// The text, for a secret also from the file that NAME_FILE names, as service managers hand credentials out.
    private mutating func given(_ name: String, in values: [String: String], isSecret: Bool) -> String? {
        if let text = values[name], !text.isEmpty { return text }
        guard isSecret, let path = values[name + "_FILE"], !path.isEmpty else { return nil }
        do throws(PlatformError) {
            let bytes = try Files.readAll(path, limit: 64 * 1024)
            let text = String(decoding: bytes, as: UTF8.self)
            return text.hasSuffix("\n") ? String(text.dropLast()) : text
        } catch {
            problems.append(
                SettingProblem(
                    name: name + "_FILE",
                    problem: "\(error)",
                    fix: "name a file of at most 64 KiB that this process may read"
                )
            )
            return nil
        }
    }
}
