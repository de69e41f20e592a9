import Core

/// What a new sign-in uses up, as the statements around its row and the values in it.
struct SignInRedemption {
    /// Uses the grant up: without it the row does not come about.
    var before: [PostgresCall] = []
    /// Gives the sign-in what it may do.
    var after: [PostgresCall] = []
    var deviceHash = PostgresValue.null
    var codeHash = PostgresValue.null
    var scopes = PostgresValue.null

    /// The statements of a grant, or none.
    init(_ grant: RedeemedGrant?, _ signIn: SignIn) {
        // The account first, as whatever ends sign-ins takes it: nobody waits for each other.
        let hold = DeviceGrantStatements.holdAccount([.id(signIn.userID)])
        let use: [PostgresValue] = [.id(signIn.userID), .id(signIn.id), .time(signIn.createdAt)]
        switch grant {
        case .device(let hash):
            deviceHash = .bytes(hash)
            before = [hold, DeviceGrantStatements.redeem([deviceHash] + use)]
        case .code(let hash, let keyHash):
            codeHash = .bytes(hash)
            before = [hold, OAuthClientStatements.redeemCode([codeHash] + use)]
            after = [OAuthClientStatements.insertKey([codeHash, .id(signIn.id), .bytes(keyHash)])]
        case nil: break
        }
        if let granted = signIn.scopes {
            scopes = .array(.text, granted.map(\.rawValue).sorted().map { .text($0) })
        }
    }
}
