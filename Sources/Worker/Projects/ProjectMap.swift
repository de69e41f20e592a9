import Bytes
import Core

/// Which job user each project of this worker has; kept on disk, never reused while the project is here.
struct ProjectMap: Sendable, Equatable {
    /// The user's index by project.
    private(set) var indices: [ProjectID: Int] = [:]

    /// No project yet.
    init() {}

    /// The index of a project, chosen now when it is new; nil when no user is left.
    mutating func place(_ project: ProjectID, count: Int) -> Int? {
        if let index = indices[project] { return index }
        let taken = Set(indices.values)
        guard let free = (0..<count).first(where: { !taken.contains($0) }) else { return nil }
        indices[project] = free
        return free
    }

    /// Forgets a project whose directories are gone.
    mutating func remove(_ project: ProjectID) { indices[project] = nil }

    /// The form on disk.
    var encoded: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("version", 1)
        writer.key("projects")
        writer.beginObject()
        for (project, index) in indices.sorted(by: { $0.key < $1.key }) { writer.member(project.description, index) }
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }

    /// Reads the form on disk; nil when it is damaged: two projects must never share a user by a mistake.
    init?(decoding bytes: [UInt8]) {
        let limits = JSONLimits(
            maximumDepth: 4,
            maximumBytes: 16 << 20,
            maximumMembers: 1 << 17,
            maximumValues: 1 << 18
        )
        guard let value = try? JSONReader.parse(bytes, limits: limits), value["version"]?.integer == 1,
            let projects = value["projects"]?.object
        else { return nil }
        var taken: Set<Int> = []
        for member in projects.members {
            guard let project = ProjectID(member.name), let number = member.value.integer,
                let index = Int(exactly: number), index >= 0, taken.insert(index).inserted
            else { return nil }
            indices[project] = index
        }
    }
}
