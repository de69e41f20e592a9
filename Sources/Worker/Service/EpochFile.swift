import Bytes
import Platform

/// The epoch of the last session on disk, so that a restarted worker comes back to its lease and its jobs.
final class EpochFile {
    private let path: String
    private var wanted: Int64?
    private var isSaving = false

    /// Keeps the epoch in the file `path`.
    init(path: String) { self.path = path }

    /// The epoch that was saved last; nil when there is none that can be read, which begins a new session.
    func load() -> Int64? {
        guard let bytes = try? Files.readAll(path, limit: 4_096) else { return nil }
        return (try? JSONReader.parse(bytes))?["epoch"]?.integer
    }

    /// Saves an epoch in the background; the latest one wins.
    func save(_ epoch: Int64, on loop: EventLoop, report: @escaping (WorkerEvent) -> Void) {
        wanted = epoch
        guard !isSaving else { return }
        isSaving = true
        loop.spawnLocal { [self] in
            while let epoch = wanted {
                wanted = nil
                var writer = JSONWriter()
                writer.beginObject()
                writer.member("epoch", epoch)
                writer.endObject()
                let (path, bytes) = (path, writer.bytes)
                do {
                    try await BlockingPool.run { try Files.writeAtomically(path, bytes, mode: 0o600) }
                } catch {
                    report(.storageFault("\(error)"))
                }
            }
            isSaving = false
        }
    }
}
