import Platform

extension DataDirectory {
    /// Puts the secret settings of a part into files for its account alone, and gives the settings that name the files.
    ///
    /// In its environment a secret would stand in /proc for as long as the part runs. The directory stays ours: a part
    /// that was taken over cannot lead the next writing elsewhere.
    package func hand(
        _ secrets: [String: Secret],
        to part: String,
        as account: SystemUser?
    ) async throws -> [String: String] {
        let (all, directory) = ("\(root)/handed", "\(root)/handed/\(part)")
        try await BlockingPool.run {
            for path in [all, directory] {
                try Files.createDirectory(path, mode: account == nil ? 0o700 : 0o711)
            }
            for name in try Files.list(directory) where secrets[name] == nil {
                try Files.remove("\(directory)/\(name)")
            }
            for (name, secret) in secrets {
                let path = "\(directory)/\(name)"
                try Files.writeAtomically(path, Array("\(secret.reveal())\n".utf8), mode: 0o600)
                if let account { try Files.setOwner(path, userID: account.userID, groupID: account.groupID) }
            }
        }
        return Dictionary(uniqueKeysWithValues: secrets.keys.map { ("\($0)_FILE", childPath("\(directory)/\($0)")) })
    }
}
