import Bytes
import Crypto
import Testing

@Suite struct MerkleTreeTests {
    /// The eight leaves that implementations of RFC 6962 compare themselves by.
    private static let inputs = [
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    ]
    /// The roots of the trees of the first 0 to 8 of them.
    private static let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]

    private static func bytes(_ hex: String) throws -> [UInt8] { try #require(Hex.decode(hex)) }

    private static func known(_ count: Int = 8) throws -> [[UInt8]] {
        try inputs.prefix(count).map { MerkleTree.leaf(try bytes($0)) }
    }

    private static func leaves(_ count: Int) -> [[UInt8]] { (0..<count).map { MerkleTree.leaf([UInt8($0)]) } }

    @Test func `roots are those of the known trees, whole and leaf by leaf`() throws {
        var frontier = MerkleFrontier()
        for (size, root) in Self.roots.enumerated() {
            let (known, expected) = (try Self.known(size), try Self.bytes(root))
            #expect(MerkleTree.root(of: known[...]) == expected)
            #expect(frontier.size == UInt64(size) && frontier.root == expected)
            #expect(MerkleFrontier(size: frontier.size, bytes: frontier.bytes) == frontier)
            #expect(MerkleFrontier(size: frontier.size, bytes: frontier.bytes + [0]) == nil)
            if size < 8 { frontier.append(try Self.known()[size]) }
        }
    }

    @Test func `proofs are those of the known tree`() throws {
        let tree = try Self.known()[...]
        #expect(
            MerkleTree.inclusionProof(of: 5, in: tree)?.map { Hex.encode($0) } == [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
        )
        #expect(
            MerkleTree.consistencyProof(from: 6, in: tree)?.map { Hex.encode($0) } == [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
        )
        #expect(
            MerkleTree.consistencyProof(from: 2, in: tree.prefix(5))?.map { Hex.encode($0) } == [
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ]
        )
    }

    /// The ways in which a proof can be wrong: each keeps the rest as it is.
    private static func spoilt(_ proof: [[UInt8]], _ root: [UInt8]) -> [[[UInt8]]] {
        let garbage = [UInt8](repeating: 0x5a, count: 32)
        var proofs = [proof + [garbage], [garbage] + proof, proof + [root], [root] + proof, proof + [[]]]
        if !proof.isEmpty { proofs += [[], Array(proof.dropLast()), Array(proof.dropFirst())] }
        if proof.count > 1 { proofs.append(proof.reversed()) }
        for index in proof.indices {
            var changed = proof
            changed[index][7] ^= 0x10
            proofs.append(changed)
            changed[index] = Array(proof[index].dropLast())
            proofs.append(changed)
        }
        return proofs.filter { $0 != proof }
    }

    @Test(arguments: 1...33) func `every leaf's proof holds for it alone`(size: Int) {
        let tree = Self.leaves(size)
        let root = MerkleTree.root(of: tree[...])
        func holds(_ proof: [[UInt8]], _ leaf: [UInt8], _ index: Int, _ size: Int, _ root: [UInt8]) -> Bool {
            MerkleTree.verifies(
                inclusion: proof,
                of: leaf,
                at: UInt64(bitPattern: Int64(index)),
                size: UInt64(bitPattern: Int64(size)),
                root: root
            )
        }
        #expect(MerkleTree.inclusionProof(of: size, in: tree[...]) == nil)
        for index in 0..<size {
            let proof = MerkleTree.inclusionProof(of: index, in: tree[...]) ?? []
            #expect(holds(proof, tree[index], index, size, root))
            for other in [index - 1, index + 1, index ^ 2, size, Int.max] where other != index {
                #expect(!holds(proof, tree[index], other, size, root))
            }
            for other in [0, size * 2, size / 2, -1] where index >= other || other != size {
                #expect(!holds(proof, tree[index], index, other, root) || size == 1)
            }
            #expect(!holds(proof, MerkleTree.leaf([0xff]), index, size, root))
            #expect(!holds(proof, [], index, size, root))
            #expect(!holds(proof, tree[index], index, size, MerkleTree.emptyRoot))
            #expect(!holds(proof, tree[index], index, size, []))
            for wrong in Self.spoilt(proof, root) { #expect(!holds(wrong, tree[index], index, size, root)) }
        }
    }

    @Test(arguments: 1...33) func `every beginning's proof holds for it alone`(later: Int) {
        let tree = Self.leaves(later)
        let end = MerkleTree.root(of: tree[...])
        func holds(_ proof: [[UInt8]], _ size: Int, _ root: [UInt8], _ later: Int, _ end: [UInt8]) -> Bool {
            MerkleTree.verifies(
                consistency: proof,
                from: UInt64(bitPattern: Int64(size)),
                root,
                to: UInt64(bitPattern: Int64(later)),
                end
            )
        }
        #expect(MerkleTree.consistencyProof(from: 0, in: tree[...]) == nil)
        #expect(MerkleTree.consistencyProof(from: later + 1, in: tree[...]) == nil)
        #expect(!holds([], 0, MerkleTree.emptyRoot, later, end))
        for size in 1...later {
            let root = MerkleTree.root(of: tree[..<size])
            let proof = MerkleTree.consistencyProof(from: size, in: tree[...]) ?? []
            #expect(holds(proof, size, root, later, end))
            for other in [size - 1, size + 1] where other != size {
                #expect(!holds(proof, other, root, later, end))
            }
            #expect(!holds(proof, size, MerkleTree.leaf([0xff]), later, end))
            #expect(!holds(proof, size, root, later, MerkleTree.leaf([0xff])))
            if size < later { #expect(!holds(proof, size, end, later, root)) }
            for wrong in Self.spoilt(proof, root) { #expect(!holds(wrong, size, root, later, end)) }
        }
    }
}
