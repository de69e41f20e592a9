import Core
import Platform
import Testing

@testable import Worker

private func project(_ number: UInt64) -> ProjectID {
    ProjectID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0000 + number)
}

@Suite struct ProjectShelfTests {
    @Test func `each project keeps a user of its own, also over a restart`() async throws {
        try await onLoopWithDirectory { _, path in
            let sandboxes = FakeSandboxes()
            let shelf = try ProjectShelf(path: path + "/map", users: 3, sandboxes: sandboxes)
            let first = try await shelf.enterNow(project(1))
            let second = try await shelf.enterNow(project(2))
            #expect(Set([first.uidIndex, second.uidIndex]).count == 2)
            let again = try ProjectShelf(path: path + "/map", users: 3, sandboxes: sandboxes)
            #expect(try await again.enterNow(project(2)) == second)
            #expect(try await again.enterNow(project(1)) == first)
            let third = try await again.enterNow(project(3))
            #expect(![first.uidIndex, second.uidIndex].contains(third.uidIndex))
            await #expect(throws: ShelfError.noUserLeft(3)) { _ = try await again.enterNow(project(4)) }
        }
    }

    @Test func `projects that come at once never share a user`() async throws {
        try await onLoopWithDirectory { loop, path in
            let shelf = try ProjectShelf(path: path + "/map", users: 50, sandboxes: FakeSandboxes())
            var placed: [PlacedProject] = []
            for number in 0..<20 {
                loop.spawnLocal {
                    guard let one = try? await shelf.enterNow(project(UInt64(number))) else { return }
                    placed.append(one)
                }
            }
            let isOver = await eventually(on: loop) { placed.count == 20 }
            #expect(isOver)
            #expect(Set(placed.map(\.uidIndex)).count == 20)
        }
    }

    @Test func `a workspace in use is busy, and free afterwards`() async throws {
        try await onLoopWithDirectory { _, path in
            let shelf = try ProjectShelf(path: path + "/map", users: 3, sandboxes: FakeSandboxes())
            _ = try await shelf.enterNow(project(1))
            await #expect(throws: ShelfError.busy) { _ = try await shelf.enterNow(project(1)) }
            shelf.leave(project(1))
            _ = try await shelf.enterNow(project(1))
        }
    }

    @Test func `a removed project's user is free again, also over a restart`() async throws {
        try await onLoopWithDirectory { _, path in
            let sandboxes = FakeSandboxes()
            let shelf = try ProjectShelf(path: path + "/map", users: 1, sandboxes: sandboxes)
            let first = try await shelf.enterNow(project(1))
            await #expect(throws: ShelfError.busy) { try await shelf.remove(project(1)) }
            shelf.leave(project(1))
            sandboxes.removalRefusal = SandboxRefusal(step: "project", text: "x", number: 5, isProgramFault: false)
            await #expect(throws: ShelfError.self) { try await shelf.remove(project(1)) }
            await #expect(throws: ShelfError.noUserLeft(1)) { _ = try await shelf.enterNow(project(2)) }
            sandboxes.removalRefusal = nil
            try await shelf.remove(project(1))
            // Asked again, and for one that never was here.
            try await shelf.remove(project(1))
            try await shelf.remove(project(3))
            #expect(sandboxes.removed == [project(1), project(1), project(3)])
            let again = try ProjectShelf(path: path + "/map", users: 1, sandboxes: sandboxes)
            #expect(try await again.enterNow(project(2)).uidIndex == first.uidIndex)
        }
    }

    @Test(arguments: [
        "", "{}", #"{"version":2,"projects":{}}"#, #"{"version":1,"projects":{"x":0}}"#,
        #"{"version":1,"projects":{"prj_0000000000000000000000000a":-1}}"#,
        #"{"version":1,"projects":{"prj_0000000000000000000000000a":0,"prj_0000000000000000000000000b":0}}"#,
    ])
    func `a damaged map is refused rather than guessed`(_ text: String) async throws {
        try await withDirectory { path in
            let good = #"{"version":1,"projects":{"prj_0000000000000000000000000a":0}}"#
            #expect(ProjectMap(decoding: Array(good.utf8)) != nil)
            #expect(ProjectMap(decoding: Array(text.utf8)) == nil)
            try Files.writeAtomically(path + "/map", Array(text.utf8))
            #expect(throws: ShelfError.self) {
                try ProjectShelf(path: path + "/map", users: 3, sandboxes: FakeSandboxes())
            }
        }
    }
}
