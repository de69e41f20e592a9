package import Bytes

/// Letters that wait for being sent, kept durably.
///
/// Invitations and notices are put in by the stores of their own acts. Of several replicas one at a time holds a letter;
/// one that ends in the middle leaves it to the next, so a letter may go out twice, under the same name.
package protocol OutboxStore: AnyObject {
    /// Says by which channels letters go out from now on.
    func setChannels(_ channels: Set<LetterChannel>) async throws(StoreError)
    /// By which channels letters go out.
    func channels() async throws(StoreError) -> Set<LetterChannel>
    /// Puts in a letter with a link to a new password, whether the address is anybody's or not; by mail where there is mail.
    ///
    /// False when there is no channel, or the address has had `most` of them in the last hour.
    func askReset(_ request: ResetRequest, most: Int?) async throws(StoreError) -> Bool
    /// Puts in a letter that only shows that letters arrive; false when there is no such channel.
    func putTest(
        _ id: LetterID,
        _ channel: LetterChannel,
        to recipient: String,
        now: Timestamp
    ) async throws(StoreError) -> Bool
    /// Claims letters of these channels that are due, oldest first; nobody else gets them before the lease has ended.
    func claim(
        _ channels: Set<LetterChannel>,
        now: Timestamp,
        lease: Duration,
        limit: Int
    ) async throws(StoreError) -> [ClaimedLetter]
    /// Writes down what became of a claim; false when another claim has begun since, and then nothing is written.
    func settle(_ letter: ClaimedLetter, _ end: LetterEnd, now: Timestamp) async throws(StoreError) -> Bool
    /// The newest letters, or those that stand so; newest first.
    func letters(_ state: LetterState?, limit: Int) async throws(StoreError) -> [Letter]
    /// One letter; nil when it is not there any more.
    func letter(_ id: LetterID) async throws(StoreError) -> Letter?
    /// Gives up what no server sends, and forgets what was done longer ago than `kept`; says how many it forgot.
    func prune(now: Timestamp, kept: Duration, limit: Int) async throws(StoreError) -> Int
}

/// Somebody who asks for a link to a new password.
package struct ResetRequest: Sendable, Equatable {
    package var id: LetterID
    /// The address that was typed, canonical.
    package var recipient: String
    package var now: Timestamp
    /// Where it was asked for; nil when the administrator did.
    package var address: String?
    package var userAgent: String?

    /// Describes the request.
    package init(
        id: LetterID,
        recipient: String,
        now: Timestamp,
        address: String? = nil,
        userAgent: String? = nil
    ) {
        self.id = id
        self.recipient = recipient
        self.now = now
        self.address = address
        self.userAgent = userAgent
    }
}
