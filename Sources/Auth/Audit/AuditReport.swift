package import Bytes
package import Core

/// What a verification found of one chain.
package struct AuditReport: Sendable, Equatable {
    package let chain: AuditChain
    /// The number of the first entry that was there to be verified; those before it were dropped with their months.
    package var first: Int64
    /// How many entries were verified, up to the fault if there is one.
    package var entries: Int64
    /// How many of them had their personal part erased.
    package var erased: Int64
    /// How many signed checkpoints were met.
    package var checkpoints: Int
    /// The first thing that is wrong.
    package var fault: AuditFault?

    /// What was verified, and why it went no further.
    package init(_ verifier: AuditChainVerifier, fault: AuditFault?) {
        chain = verifier.chain
        first = verifier.first
        entries = verifier.verified
        erased = verifier.erased
        checkpoints = verifier.confirmed
        self.fault = fault
    }

    /// A chain of which nothing could be verified.
    package init(_ fault: AuditFault) {
        (chain, first, entries, erased, checkpoints) = (fault.chain, 1, 0, 0, 0)
        self.fault = fault
    }

    /// Writes it as an object.
    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("chain", chain.description)
        writer.member("first", first)
        writer.member("entries", entries)
        writer.member("erased", erased)
        writer.member("checkpoints", Int64(checkpoints))
        writer.key("fault")
        if let fault {
            writer.beginObject()
            writer.member("entry", fault.seq)
            writer.member("kind", fault.kind.rawValue)
            writer.member("detail", fault.detail)
            writer.endObject()
        } else {
            writer.null()
        }
        writer.endObject()
    }
}
