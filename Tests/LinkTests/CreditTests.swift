import Link
import Testing

/// Expects the answer of a mutating call, which the macro itself cannot take.
private func holds(_ condition: Bool, at location: SourceLocation = #_sourceLocation) {
    #expect(condition, sourceLocation: location)
}

@Suite struct CreditTests {
    @Test func `nothing may be sent before the first grant`() {
        var window = CreditWindow()
        var granter = CreditGranter(window: 1_000)
        #expect(!window.isOpen)
        holds(!granter.received(1))
        let grant = granter.grant()
        #expect(grant == 1_000)
        holds(window.grant(grant ?? 0))
        #expect(window.isOpen)
        holds(granter.received(1))
    }

    @Test func `one frame may overdraw, the next one waits`() {
        var window = CreditWindow()
        holds(window.grant(10))
        window.spend(50)
        #expect(!window.isOpen)
        holds(window.grant(40))
        #expect(!window.isOpen)
        holds(window.grant(1))
        #expect(window.isOpen)
    }

    @Test func `grants are few: none until a quarter is free`() {
        var granter = CreditGranter(window: 1_000)
        _ = granter.grant()
        holds(granter.received(249))
        granter.consume(249)
        holds(granter.grant() == nil)
        holds(granter.received(1))
        granter.consume(1)
        holds(granter.grant() == 250)
        #expect(granter.outstanding == 1_000)
    }

    @Test func `a sender without credit is found out`() {
        var granter = CreditGranter(window: 100)
        _ = granter.grant()
        holds(granter.received(100))
        holds(!granter.received(1))
    }

    @Test func `an absurd grant is refused`() {
        var window = CreditWindow()
        holds(window.grant(1 << 30))
        holds(!window.grant(1))
    }

    @Test func `sender and receiver agree over a long exchange`() {
        var window = CreditWindow()
        var granter = CreditGranter(window: 4_096)
        var size = 1
        for _ in 0..<10_000 {
            if let grant = granter.grant() {
                holds(window.grant(grant))
            }
            guard window.isOpen else {
                Issue.record("the exchange stalled")
                return
            }
            size = size * 31 % 1_777 + 1
            window.spend(size)
            holds(granter.received(size))
            #expect(window.available == granter.outstanding)
            granter.consume(size)
        }
    }

    @Test func `a standing request is not filled twice while assignments are on their way`() {
        var window = ClaimWindow()
        #expect(window.available == 0)
        holds(window.claim(free: 4, received: 0))
        window.assigned(1)
        #expect(window.available == 3)
        holds(window.claim(free: 4, received: 0))
        #expect(window.available == 3)
        holds(window.claim(free: 3, received: 1))
        #expect(window.available == 3)
        holds(!window.claim(free: 3, received: 2))
    }
}
