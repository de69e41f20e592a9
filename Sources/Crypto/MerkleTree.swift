/// Hashing and proofs of RFC 6962's Merkle trees over SHA-256.
package enum MerkleTree {
    /// Bytes of every hash.
    package static let hashLength = 32
    /// The root of a tree without leaves.
    package static let emptyRoot = Digest.sha256([])

    /// The hash of a leaf's data.
    package static func leaf(_ data: [UInt8]) -> [UInt8] { Digest.sha256([0x00] + data) }

    /// The hash of two subtrees.
    package static func node(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] { Digest.sha256([0x01] + left + right) }

    /// The root of a tree of leaf hashes.
    package static func root(of leaves: ArraySlice<[UInt8]>) -> [UInt8] {
        guard let only = leaves.first else { return emptyRoot }
        guard leaves.count > 1 else { return only }
        let middle = leaves.startIndex + split(leaves.count)
        return node(root(of: leaves[..<middle]), root(of: leaves[middle...]))
    }

    /// The hashes that lead from a leaf to the root, the leaf's sibling first; nil when there is no such leaf.
    package static func inclusionProof(of index: Int, in leaves: ArraySlice<[UInt8]>) -> [[UInt8]]? {
        guard (0..<leaves.count).contains(index) else { return nil }
        guard leaves.count > 1 else { return [] }
        let half = split(leaves.count)
        let middle = leaves.startIndex + half
        return index < half
            ? inclusionProof(of: index, in: leaves[..<middle]).map { $0 + [root(of: leaves[middle...])] }
            : inclusionProof(of: index - half, in: leaves[middle...]).map { $0 + [root(of: leaves[..<middle])] }
    }

    /// The hashes that show the tree of the first `size` leaves to be the beginning of this one; nil without a beginning.
    package static func consistencyProof(from size: Int, in leaves: ArraySlice<[UInt8]>) -> [[UInt8]]? {
        guard (1...max(1, leaves.count)).contains(size), !leaves.isEmpty else { return nil }
        return consistency(from: size, in: leaves, isWhole: true)
    }

    private static func consistency(from size: Int, in leaves: ArraySlice<[UInt8]>, isWhole: Bool) -> [[UInt8]] {
        guard size < leaves.count else { return isWhole ? [] : [root(of: leaves)] }
        let half = split(leaves.count)
        let middle = leaves.startIndex + half
        return size <= half
            ? consistency(from: size, in: leaves[..<middle], isWhole: isWhole) + [root(of: leaves[middle...])]
            : consistency(from: size - half, in: leaves[middle...], isWhole: false) + [root(of: leaves[..<middle])]
    }

    /// Whether `proof` leads from a leaf's hash at `index` to the root of a tree of `size` leaves.
    package static func verifies(
        inclusion proof: [[UInt8]],
        of leaf: [UInt8],
        at index: UInt64,
        size: UInt64,
        root: [UInt8]
    ) -> Bool {
        guard index < size, leaf.count == hashLength, proof.allSatisfy({ $0.count == hashLength }) else { return false }
        var (place, last) = (index, size - 1)
        var hash = leaf
        for sibling in proof {
            guard last > 0 else { return false }
            if place & 1 == 1 || place == last {
                hash = node(sibling, hash)
                while place & 1 == 0, place > 0 { (place, last) = (place >> 1, last >> 1) }
            } else {
                hash = node(hash, sibling)
            }
            (place, last) = (place >> 1, last >> 1)
        }
        return last == 0 && hash == root
    }

    /// Whether `proof` shows the tree of `size` leaves to be the beginning of the one of `later` leaves.
    ///
    /// An empty tree is the beginning of every tree, so that nothing can be proved of it.
    package static func verifies(
        consistency proof: [[UInt8]],
        from size: UInt64,
        _ root: [UInt8],
        to later: UInt64,
        _ laterRoot: [UInt8]
    ) -> Bool {
        guard size > 0, size <= later, proof.allSatisfy({ $0.count == hashLength }) else { return false }
        guard size < later else { return proof.isEmpty && root == laterRoot }
        var rest = proof[...]
        // A complete subtree is its own proof of having been there.
        guard let first = size.nonzeroBitCount == 1 ? root : rest.popFirst() else { return false }
        var (place, last) = (size - 1, later - 1)
        while place & 1 == 1 { (place, last) = (place >> 1, last >> 1) }
        var (old, new) = (first, first)
        for hash in rest {
            guard last > 0 else { return false }
            if place & 1 == 1 || place == last {
                (old, new) = (node(hash, old), node(hash, new))
                while place & 1 == 0, place > 0 { (place, last) = (place >> 1, last >> 1) }
            } else {
                new = node(new, hash)
            }
            (place, last) = (place >> 1, last >> 1)
        }
        return last == 0 && old == root && new == laterRoot
    }

    /// The greatest power of two below a count of two or more.
    private static func split(_ count: Int) -> Int { 1 << (Int.bitWidth - 1 - (count - 1).leadingZeroBitCount) }
}

/// The edge of a growing tree: its complete subtrees, largest first, from which every later root can be made.
package struct MerkleFrontier: Sendable, Equatable {
    /// How many leaves there are.
    package private(set) var size: UInt64
    private var subtrees: [[UInt8]]

    /// The edge of an empty tree.
    package init() {
        size = 0
        subtrees = []
    }

    /// Reads the edge of a tree of `size` leaves from its bytes.
    package init?(size: UInt64, bytes: [UInt8]) {
        guard bytes.count == size.nonzeroBitCount * MerkleTree.hashLength else { return nil }
        self.size = size
        subtrees = stride(from: 0, to: bytes.count, by: MerkleTree.hashLength).map {
            Array(bytes[$0..<$0 + MerkleTree.hashLength])
        }
    }

    /// The subtrees one after the other.
    package var bytes: [UInt8] { Array(subtrees.joined()) }

    /// Adds a leaf by its hash.
    package mutating func append(_ leaf: [UInt8]) {
        var hash = leaf
        var completed = size
        while completed & 1 == 1, let left = subtrees.popLast() {
            hash = MerkleTree.node(left, hash)
            completed >>= 1
        }
        subtrees.append(hash)
        size += 1
    }

    /// The root of the tree.
    package var root: [UInt8] {
        guard var hash = subtrees.last else { return MerkleTree.emptyRoot }
        for subtree in subtrees.dropLast().reversed() { hash = MerkleTree.node(subtree, hash) }
        return hash
    }
}
