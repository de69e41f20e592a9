import Bytes
import Core
import Testing

@testable import Auth

@Suite struct MasterKeyRingTests {
    private static let now = Timestamp(milliseconds: 1_767_323_045_000)

    private func refusal(_ document: String) -> MasterKeyRingError? {
        do throws(MasterKeyRingError) {
            _ = try MasterKeyRing(document: [UInt8](document.utf8))
            return nil
        } catch {
            return error
        }
    }

    @Test func `a document gives back every key in its order`() throws {
        let ring = MasterKeyRing(firstKeyAt: Self.now).rotated(at: Self.now.adding(seconds: 60)).rotated(at: Self.now)
        let read = try MasterKeyRing(document: ring.document())
        #expect(read.keys.map(\.id) == ring.keys.map(\.id) && read.keys.map(\.bytes) == ring.keys.map(\.bytes))
        #expect(read.keys.map(\.createdAt) == ring.keys.map(\.createdAt))
        #expect(read.current.id == ring.current.id && Set(read.keys.map(\.id)).count == 3)
    }

    @Test func `a removal takes older keys and never the current one`() {
        let first = MasterKeyRing(firstKeyAt: Self.now)
        let third = first.rotated(at: Self.now).rotated(at: Self.now)
        #expect(third.without([first.current.id]).keys.map(\.id) == third.keys.dropFirst().map(\.id))
        #expect(third.without(Set(third.keys.map(\.id))).keys.map(\.id) == [third.current.id])
        #expect(third[first.current.id] != nil && third.without([first.current.id])[first.current.id] == nil)
    }

    @Test func `a key's name follows from the key`() throws {
        let key = try #require(MasterKey([UInt8](repeating: 7, count: 32), createdAt: Self.now))
        let same = try #require(MasterKey([UInt8](repeating: 7, count: 32), createdAt: Self.now.adding(seconds: 1)))
        let other = try #require(MasterKey([UInt8](repeating: 8, count: 32), createdAt: Self.now))
        #expect(key.id == same.id && key.id != other.id)
        #expect(MasterKeyID(key.id.description) == key.id)
        for count in [0, 16, 31, 33] {
            #expect(MasterKey([UInt8](repeating: 7, count: count), createdAt: Self.now) == nil)
        }
    }

    @Test func `damaged documents are refused, and the whole one is not`() throws {
        let key = try #require(MasterKey([UInt8](repeating: 7, count: 32), createdAt: Self.now))
        func entry(_ bytes: Int = 32, id: String? = nil, at: String = "2026-01-01T00:00:00Z") -> String {
            let text = Base64.encodeURL([UInt8](repeating: 7, count: bytes))
            return #"{"id":"\#(id ?? key.id.description)","key":"\#(text)","created_at":"\#(at)"}"#
        }
        func document(_ keys: [String], version: Int = 1) -> String {
            #"{"version":\#(version),"keys":[\#(keys.joined(separator: ","))]}"#
        }
        #expect(refusal(document([entry()])) == nil)
        #expect(refusal("") == .malformed("not JSON"))
        #expect(refusal("[]") == .malformed("not JSON"))
        #expect(refusal(document([entry()], version: 2)) == .unknownVersion)
        #expect(refusal(document([])) == .malformed("no key"))
        #expect(refusal(document([entry(31)])) == .malformed("key"))
        #expect(refusal(document([entry(at: "yesterday")])) == .malformed("created_at"))
        #expect(refusal(document([entry(), entry()])) == .malformed("repeated key"))
        #expect(refusal(document([entry(id: "0011223344556677")])) == .malformed("a key and its id are not a pair"))
        #expect(refusal(document(Array(repeating: entry(), count: 65))) == .malformed("more than 64 keys"))
    }

    @Test(arguments: ["", "a/b", "a/b/c/d", "a//c", "A/b/c", "a/b/c\n", "a/../c"])
    func `a place has three plain parts`(text: String) {
        #expect(SecretPlace(text) == nil)
        let place = SecretPlace(table: "model_keys", row: TeamID(high: 1, low: 2), column: "key")
        #expect(SecretPlace(place.description) == place)
    }
}
