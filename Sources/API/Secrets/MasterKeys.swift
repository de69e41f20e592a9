package import Auth

/// The master keys of this process, shared by all its loops.
package protocol MasterKeys: AnyObject, Sendable {
    /// The keys as they were read last.
    var ring: MasterKeyRing { get }
    /// Reads them again, since an administrator may have rotated them; throws when they cannot be read.
    func reread() async throws -> MasterKeyRing
}
