import Auth
import Core
import Link

/// The models of jobs that were just claimed: each gets its submitter's key, its team's, or what the installation has.
struct ModelGrants {
    /// The grants, in memory only, on their way to the worker.
    private(set) var grants: [JobID: ModelGrant] = [:]
    /// Jobs for which nobody can say at this moment: they go back to the queue.
    private(set) var undecided: Set<JobID> = []

    /// Chooses for every agent's job, and notes in the job whose key it was.
    init(_ claimed: [ClaimedJob], _ services: Services) async {
        let agents = claimed.map(\.job).filter { if case .claude = $0.work { true } else { false } }
        guard !agents.isEmpty else { return }
        let own = services.settings.model
        var asked = agents.map { job in
            (job: job.id, fallback: own.flatMap { $0.serves(job.teamID) ? $0.kind : nil })
        }
        do throws(StoreError) {
            // Twice: a rotation may wrap a key anew and drop the older master key between the reading and the opening.
            for _ in 0..<2 where !asked.isEmpty {
                var stale: Set<JobID> = []
                for granted in try await services.modelKeys.grantModels(asked) {
                    do throws(SealError) {
                        grants[granted.job] = try await Self.grant(granted, own, services)
                    } catch {
                        if case .unknownMasterKey = error { stale.insert(granted.job) }
                    }
                }
                asked.removeAll { !stale.contains($0.job) }
            }
        } catch {
            undecided = Set(agents.map(\.id))
        }
    }

    /// A stored key that does not open, or that leads where it may not any more, is no reason to use another's.
    private static func grant(
        _ granted: GrantedModel,
        _ own: ModelGrantSource?,
        _ services: Services
    ) async throws(SealError) -> ModelGrant? {
        guard let stored = granted.stored else {
            guard let own, let key = own.key.revealText() else { return nil }
            return ModelGrant(endpoint: own.endpoint, apiKey: key)
        }
        guard let endpoint = try? services.modelCheck.endpoint(stored.provider, baseURL: stored.baseURL),
            let key = try await services.vault.open(stored.secret).revealText()
        else { return nil }
        return ModelGrant(endpoint: endpoint, apiKey: key)
    }
}
