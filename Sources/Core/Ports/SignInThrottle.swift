package import Bytes

/// Counts failed sign-ins durably, so that neither a restart nor the loss of a cache forgets them.
///
/// Tries are counted before they are judged: of many at once each sees those before it.
package protocol SignInThrottle: AnyObject {
    /// Counts a try in advance, or says how long it has to wait; known and unknown accounts alike.
    func begin(_ attempt: SignInTry) async throws(StoreError) -> SignInLeave
    /// Takes back what a granted try was counted; a right one also forgets the failures of its account at its place.
    func end(_ attempt: SignInTry, _ end: SignInEnd) async throws(StoreError)
    /// Forgets up to `limit` of each sort of what no longer counts; tells how many of the sort that had most, so that
    /// `limit` says that there may be more.
    func prune(now: Timestamp, limit: Int) async throws(StoreError) -> Int
}
