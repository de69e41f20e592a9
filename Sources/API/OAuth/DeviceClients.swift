import Core

/// The clients that may ask for a person's confirmation on another machine.
enum DeviceClients {
    /// Whether a client may; those of teams have the way of the authorization code.
    static func admits(_ client: String) -> Bool { client == SignIn.ownClient }

    /// What a person knows the client by.
    static func name(of client: String) -> String { client == SignIn.ownClient ? "Errand's command line" : client }
}
