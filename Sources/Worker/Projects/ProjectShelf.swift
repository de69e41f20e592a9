import Core
import Platform

/// Why a project's workspace cannot be used now.
enum ShelfError: Error, Equatable, CustomStringConvertible {
    /// Somebody else uses it.
    case busy
    /// Every job user has a project.
    case noUserLeft(Int)
    /// The map of projects cannot be read or written.
    case map(String)
    /// The directories cannot be made.
    case directories(String)

    var description: String {
        switch self {
        case .busy: "The project's workspace is in use."
        case .noUserLeft(let count): "All \(count) users for projects on this worker are taken."
        case .map(let text): "The worker's map of projects cannot be used: \(text)."
        case .directories(let text): "The project's directories cannot be made: \(text)."
        }
    }

    /// The reason a job gets that fails by this.
    var reason: JobReason {
        switch self {
        case .directories: .sandboxRefused
        case .noUserLeft: .limitReached
        case .busy, .map: .internalError
        }
    }
}

/// The projects that have their workspace on this worker: their users, their directories and who uses them now.
///
/// Loop-confined. One job or one transfer uses a workspace at a time.
final class ProjectShelf {
    private let path: String
    private let sandboxes: any SandboxHost
    private let users: Int
    private var map: ProjectMap
    private var prepared: Set<ProjectID> = []
    private var inUse: Set<ProjectID> = []
    private let changed = LoopCondition()
    private var isSaving = false

    /// Keeps its map in the file `path`; `users` is how many job users there are.
    init(path: String, users: Int, sandboxes: any SandboxHost) throws(ShelfError) {
        self.path = path
        self.users = users
        self.sandboxes = sandboxes
        var bytes: [UInt8]?
        do throws(PlatformError) {
            // 100,000 projects take 5 MB.
            bytes = try Files.status(path) == nil ? nil : try Files.readAll(path, limit: 16 << 20)
        } catch {
            throw .map("\(error)")
        }
        guard let bytes else {
            map = ProjectMap()
            return
        }
        guard let known = ProjectMap(decoding: bytes) else { throw .map("\(path) is damaged") }
        map = known
    }

    /// Takes a workspace for a job: waits for a transfer or a former job to leave it; nil when it is not wanted any more.
    func enter(_ project: ProjectID, while isWanted: () -> Bool) async throws(ShelfError) -> PlacedProject? {
        while inUse.contains(project) {
            guard isWanted() else { return nil }
            await changed.wait()
        }
        return try await take(project)
    }

    /// Has everybody who waits look again whether the wait is still wanted.
    func reconsider() { changed.signalAll() }

    /// Takes a workspace for a transfer, which does not wait: a job may take hours.
    func enterNow(_ project: ProjectID) async throws(ShelfError) -> PlacedProject {
        guard !inUse.contains(project) else { throw .busy }
        return try await take(project)
    }

    /// Gives a workspace back.
    func leave(_ project: ProjectID) {
        inUse.remove(project)
        changed.signalAll()
    }

    /// Removes a project's directories and forgets its user; one that is not here is removed already.
    func remove(_ project: ProjectID) async throws(ShelfError) {
        guard !inUse.contains(project) else { throw .busy }
        inUse.insert(project)
        defer { leave(project) }
        do throws(SandboxRefusal) {
            try await sandboxes.remove(project)
        } catch {
            throw ShelfError.directories(error.description)
        }
        prepared.remove(project)
        try await edit { map throws(ShelfError) in map.remove(project) }
    }

    private func take(_ project: ProjectID) async throws(ShelfError) -> PlacedProject {
        inUse.insert(project)
        do throws(ShelfError) {
            let placed = try await place(project)
            guard !prepared.contains(project) else { return placed }
            do throws(SandboxRefusal) {
                try await sandboxes.prepare(placed)
            } catch {
                throw ShelfError.directories(error.description)
            }
            prepared.insert(project)
            return placed
        } catch {
            leave(project)
            throw error
        }
    }

    private func place(_ project: ProjectID) async throws(ShelfError) -> PlacedProject {
        if let index = map.indices[project] { return PlacedProject(id: project, uidIndex: index) }
        let users = users
        let index = try await edit { map throws(ShelfError) in
            guard let index = map.place(project, count: users) else { throw .noUserLeft(users) }
            return index
        }
        return PlacedProject(id: project, uidIndex: index)
    }

    /// Changes the map on disk, then in memory; one change at a time, so that an older map never replaces a newer one.
    private func edit<Value>(
        _ body: (inout ProjectMap) throws(ShelfError) -> Value
    ) async throws(ShelfError) -> Value {
        while isSaving { await changed.wait() }
        isSaving = true
        defer {
            isSaving = false
            changed.signalAll()
        }
        var next = map
        let value = try body(&next)
        guard next != map else { return value }
        let (path, bytes) = (path, next.encoded)
        do {
            try await BlockingPool.run { try Files.writeAtomically(path, bytes, mode: 0o600) }
        } catch {
            throw .map("\(error)")
        }
        map = next
        return value
    }
}
