import Glibc
import Platform

/// Forcing what the API lags behind with to the disk.
extension AttemptSpool {
    /// How often something was forced to the disk.
    var flushes: UInt64 { disk.begun }

    /// Forces what was written to the disk, in one go for all that was written meanwhile.
    func makeDurable() async {
        guard !isRemoved, failure == nil else { return }
        do {
            try await disk.commit()
        } catch is PoolFull {
            watchLag()
        } catch {
            if !isRemoved { fail(SpoolFailure(error)) }
        }
    }

    /// Forces the segments that have grown to the disk.
    func flush() async throws {
        let due = segments.filter { $0.size > $0.syncedSize }
        guard !due.isEmpty else { return }
        let (directory, isNew) = (directory, due.contains { $0.syncedSize == 0 })
        try await BlockingPool.run {
            // A segment that was stored meanwhile is gone, and nobody misses it.
            for segment in due { _ = try Files.syncData(SpoolSegment.path(directory, segment.firstSeq)) }
            if isNew { try Files.syncDirectory(directory) }
        }
        for segment in due {
            guard let index = segments.firstIndex(where: { $0.firstSeq == segment.firstSeq }) else { continue }
            segments[index].syncedSize = segment.size
        }
    }

    private var lastWritten: UInt64 { written > 0 ? batches[written - 1].lastSeq : durable }

    /// Looks after a while whether the API has stored what is written now.
    func watchLag() {
        guard lagTimer == nil, !isRemoved, failure == nil, durable < lastWritten else { return }
        let mark = lastWritten
        lagTimer = loop.schedule(after: lagLimit) { [weak self] in
            guard let self else { return }
            lagTimer = nil
            guard durable < mark else { return watchLag() }
            loop.spawnLocal { [self] in
                await makeDurable()
                // What is there is safe; what comes next has its own time.
                if segments.contains(where: { $0.size > $0.syncedSize }) { watchLag() }
            }
        }
    }
}

extension SpoolFailure {
    /// What a failed write or flush means.
    init(_ error: any Error) {
        switch (error as? PlatformError)?.errno {
        case ENOSPC?, EDQUOT?: self = .full
        default: self = .broken("\(error)")
        }
    }
}
