extension String {
    /// This text fit for one line of a report: control characters become spaces, and it ends after `limit` characters.
    func plainLine(limit: Int) -> String {
        var line = ""
        for scalar in unicodeScalars.prefix(limit) {
            let isControl =
                scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
            line.unicodeScalars.append(isControl ? " " : scalar)
        }
        return unicodeScalars.count > limit ? line + "…" : line
    }
}
