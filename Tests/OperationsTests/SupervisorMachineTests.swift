import Glibc
import Operations
import Platform
import Testing

@Suite struct SupervisorMachineTests {
    private let zero = Instant(nanoseconds: 1_000_000_000_000)

    private func machine(_ names: String...) -> SupervisorMachine {
        SupervisorMachine(
            names.map {
                ServicePolicy(name: $0, stopSignal: SIGINT, grace: .seconds(5), readyTimeout: .seconds(60))
            }
        )
    }

    private func at(_ seconds: Double) -> Instant { zero.advanced(by: .milliseconds(Int((seconds * 1000).rounded()))) }

    @Test func `services start in order, each when the one before is ready`() {
        var machine = machine("a", "b")
        #expect(machine.start() == [.launch(0, number: 1)])
        #expect(machine.launched(0, at: at(0)) == [.probe(0, number: 1)])
        #expect(machine.becameReady(0, number: 1, at: at(1)) == [.report(.ready("a")), .launch(1, number: 1)])
        #expect(machine.launched(1, at: at(1)) == [.probe(1, number: 1)])
        #expect(machine.becameReady(1, number: 1, at: at(2)) == [.report(.ready("b")), .started])
    }

    @Test func `the wait doubles from a tenth of a second to ten seconds, and shrinks after thirty healthy seconds`() {
        var machine = machine("a")
        ready(&machine, 0, number: 1, at: 0)
        var time = 1.0
        var waits: [Double] = []
        for number in 2...10 {
            _ = machine.exited(0, .exited(1), at: at(time))
            let wait = ((machine.nextDeadline ?? zero) - at(time)) / .seconds(1)
            waits.append((wait * 10).rounded() / 10)
            #expect(machine.timePassed(at: at(time + wait - 0.01)).isEmpty)
            #expect(machine.timePassed(at: at(time + wait)) == [.launch(0, number: number)])
            ready(&machine, 0, number: number, at: time + wait)
            time += wait + 1
        }
        #expect(waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10])
        #expect(
            machine.exited(0, .signaled(11), at: at(time + 30))
                == [.report(.failed("a", reason: "was ended by signal 11", retryIn: .milliseconds(100)))]
        )
    }

    @Test func `a service that never becomes ready is given up`() {
        var machine = machine("a")
        _ = machine.start()
        var time = 0.0
        for _ in 1...4 {
            #expect(machine.launchFailed(0, "no such file", at: at(time)).count == 1)
            time += 20
            _ = machine.timePassed(at: at(time))
        }
        #expect(
            machine.launchFailed(0, "no such file", at: at(time))
                == [.report(.failed("a", reason: "no such file", retryIn: nil)), .gaveUp(0)]
        )
        #expect(machine.nextDeadline == nil)
    }

    @Test func `a service that is not ready in time is killed, and late news of it is ignored`() {
        var machine = machine("a")
        _ = machine.start()
        _ = machine.launched(0, at: at(0))
        #expect(machine.timePassed(at: at(59)).isEmpty)
        #expect(machine.timePassed(at: at(60)) == [.report(.notReady("a")), .signal(0, SIGKILL)])
        #expect(machine.becameReady(0, number: 1, at: at(60)).isEmpty)
        #expect(
            machine.exited(0, .signaled(9), at: at(60))
                == [.report(.failed("a", reason: "was not ready in time", retryIn: .milliseconds(100)))]
        )
        #expect(machine.timePassed(at: at(61)) == [.launch(0, number: 2)])
        _ = machine.launched(0, at: at(61))
        #expect(machine.becameReady(0, number: 1, at: at(61)).isEmpty)
        #expect(machine.becameReady(0, number: 2, at: at(61)) == [.report(.ready("a")), .started])
    }

    @Test func `stopping goes backwards, waits for each, and kills after the grace`() {
        var machine = machine("a", "b", "c")
        ready(&machine, 0, number: 1, at: 0)
        ready(&machine, 1, number: 1, at: 0)
        ready(&machine, 2, number: 1, at: 0)
        #expect(machine.stop(at: at(10)) == [.signal(2, SIGINT)])
        #expect(machine.exited(2, .exited(0), at: at(11)) == [.report(.stopped("c")), .signal(1, SIGINT)])
        #expect(machine.timePassed(at: at(15.9)).isEmpty)
        #expect(machine.timePassed(at: at(16)) == [.report(.killed("b")), .signal(1, SIGKILL)])
        #expect(machine.timePassed(at: at(100)).isEmpty)
        #expect(machine.exited(1, .signaled(9), at: at(16)) == [.report(.stopped("b")), .signal(0, SIGINT)])
        #expect(machine.exited(0, .exited(0), at: at(17)) == [.report(.stopped("a")), .finished])
    }

    @Test func `stopping passes over what waits for its next try, and stops what is just being started`() {
        var machine = machine("a", "b")
        ready(&machine, 0, number: 1, at: 0)
        _ = machine.exited(0, .exited(1), at: at(1))
        #expect(machine.stop(at: at(1)) == [])
        #expect(machine.launched(1, at: at(2)) == [.signal(1, SIGINT)])
        #expect(machine.exited(1, .exited(0), at: at(3)) == [.report(.stopped("b")), .finished])
        #expect(machine.timePassed(at: at(100)).isEmpty)
    }

    @Test func `stopping before anything was started is finished at once`() {
        var machine = machine("a")
        #expect(machine.stop(at: at(0)) == [.finished])
        #expect(machine.stop(at: at(0)) == [])
    }

    @Test func `a service that was added later starts with the next start`() {
        var machine = machine("a")
        ready(&machine, 0, number: 1, at: 0)
        machine.append(ServicePolicy(name: "b", stopSignal: SIGTERM, grace: .seconds(1), readyTimeout: .seconds(1)))
        #expect(machine.start() == [.launch(1, number: 1)])
    }

    private func ready(_ machine: inout SupervisorMachine, _ index: Int, number: Int, at seconds: Double) {
        if number == 1 { _ = machine.start() }
        _ = machine.launched(index, at: at(seconds))
        _ = machine.becameReady(index, number: number, at: at(seconds))
    }
}
