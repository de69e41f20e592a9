import Glibc
import Platform
import Testing

@testable import Sandbox

/// The generated program itself, interpreted for every number and at the edges of every rule.
@Suite struct SeccompTableTests {
    let program: FilterProgram

    init() throws {
        let file = try SeccompPolicy.compile()
        program = try FilterProgram(descriptor: file.raw)
    }

    @Test func `the program fits the kernel's limit`() {
        #expect((100..<4096).contains(program.count))
    }

    @Test(arguments: SeccompTables.allowed)
    func `an allowed call is allowed whatever its arguments`(name: String) throws {
        let number = try #require(FilterProgram.number(of: name))
        for value in [0, 1, UInt64.max] {
            #expect(program.verdict(number, [value, value, value, value, value, value]) == .allow, "\(name)")
        }
    }

    @Test(arguments: SeccompTables.forbidden)
    func `a forbidden call is not permitted`(name: String) throws {
        let number = try #require(FilterProgram.number(of: name))
        #expect(program.verdict(number) == .errno(EPERM), "\(name)")
    }

    @Test func `whatever is in no list is answered as missing`() throws {
        let special = ["clone", "socket", "socketpair", "ioctl", "personality"]
        let listed = try Set(
            (SeccompTables.allowed + SeccompTables.forbidden + special).map { name in
                try #require(FilterProgram.number(of: name))
            }
        )
        for number in UInt32(0)...1024 where !listed.contains(number) {
            #expect(program.verdict(number) == .errno(ENOSYS), "call \(number)")
        }
    }

    @Test(arguments: ["clone3", "io_uring_setup", "open_tree", "move_mount", "fsopen", "mount_setattr"])
    func `a call with an older twin is answered as missing`(name: String) throws {
        let number = try #require(FilterProgram.number(of: name))
        #expect(program.verdict(number) == .errno(ENOSYS))
        #expect(!SeccompTables.allowed.contains { $0.hasPrefix("io_uring") })
    }

    @Test func `another architecture or table kills the process`() {
        for number in UInt32(0)...600 {
            #expect(program.verdict(number, architecture: 0x4000_0003) == .kill, "i386 call \(number)")
            #expect(program.verdict(number | 0x4000_0000) == .kill, "x32 call \(number)")
        }
        #expect(program.verdict(0, architecture: 0xC000_00B7) == .kill)
        #expect(program.verdict(0) == .allow)
    }

    @Test func `clone makes no namespace`() throws {
        let clone = try #require(FilterProgram.number(of: "clone"))
        #expect(program.verdict(clone, [17]) == .allow)
        #expect(program.verdict(clone, [0x0001_0000 | 0x100 | 0x200]) == .allow)
        for bit in 0..<64 {
            let makesNamespace = [17, 25, 26, 27, 28, 29, 30].contains(bit)
            let verdict = program.verdict(clone, [UInt64(1) << UInt64(bit) | 17])
            #expect(verdict == (makesNamespace ? .errno(EPERM) : .allow), "bit \(bit)")
        }
        #expect(program.verdict(clone, [0x7E02_0000]) == .errno(EPERM))
    }

    @Test func `only internet streams and datagrams are sockets`() throws {
        let socket = try #require(FilterProgram.number(of: "socket"))
        for family in UInt64(0)...64 {
            for type in UInt64(0)..<16 {
                for flags in [0, 0x800, 0x8_0000, 0x1_0000_0000] as [UInt64] {
                    let verdict = program.verdict(socket, [family, type | flags, 0])
                    let isInternet = family == 2 || family == 10
                    let expected: FilterProgram.Verdict =
                        !isInternet ? .errno(EAFNOSUPPORT) : type == 1 || type == 2 ? .allow : .errno(EPERM)
                    #expect(verdict == expected, "family \(family), type \(type)")
                }
            }
        }
        #expect(program.verdict(socket, [0x1_0000_0002, 1, 0]) == .errno(EAFNOSUPPORT))
        #expect(program.verdict(socket, [UInt64(UInt32.max), 1, 0]) == .errno(EAFNOSUPPORT))
    }

    @Test func `a socket speaks its type's own protocol`() throws {
        let socket = try #require(FilterProgram.number(of: "socket"))
        for family in [2, 10] as [UInt64] {
            for kind in UInt64(0)...512 {
                let stream = program.verdict(socket, [family, 1, kind])
                let datagram = program.verdict(socket, [family, 2, kind])
                #expect(stream == (kind == 0 || kind == 6 ? .allow : .errno(EPROTONOSUPPORT)), "stream \(kind)")
                #expect(datagram == (kind == 0 || kind == 17 ? .allow : .errno(EPROTONOSUPPORT)), "datagram \(kind)")
            }
            #expect(program.verdict(socket, [family, 1, 0x1_0000_0006]) == .errno(EPROTONOSUPPORT))
        }
    }

    @Test func `only local sockets come in pairs`() throws {
        let pair = try #require(FilterProgram.number(of: "socketpair"))
        for family in UInt64(0)...64 {
            #expect(program.verdict(pair, [family, 1, 0]) == (family == 1 ? .allow : .errno(EAFNOSUPPORT)))
        }
    }

    @Test(arguments: [0x5412, 0x541C, 0x5423] as [UInt64])
    func `a terminal request is refused, whatever the upper half says`(request: UInt64) throws {
        let ioctl = try #require(FilterProgram.number(of: "ioctl"))
        for upper in [0, 1, 0x8000_0000, 0xFFFF_FFFF] as [UInt64] {
            #expect(program.verdict(ioctl, [0, upper << 32 | request]) == .errno(EPERM))
            for bit in UInt64(0)..<32 {
                let neighbour = request ^ (1 << bit)
                guard ![0x5412, 0x541C, 0x5423].contains(neighbour) else { continue }
                #expect(program.verdict(ioctl, [0, upper << 32 | neighbour]) == .allow, "request \(neighbour)")
            }
        }
    }

    @Test func `a personality may be asked for and not changed`() throws {
        let personality = try #require(FilterProgram.number(of: "personality"))
        #expect(program.verdict(personality, [0]) == .allow)
        #expect(program.verdict(personality, [0xFFFF_FFFF]) == .allow)
        for bit in UInt64(0)..<32 { #expect(program.verdict(personality, [1 << bit]) == .errno(EPERM)) }
        #expect(program.verdict(personality, [0xFFFF_FFFE]) == .errno(EPERM))
    }

    @Test func `the program cannot be changed after it was handed over`() throws {
        let file = try SeccompPolicy.compile()
        let byte: [UInt8] = [0]
        #expect(unsafe pwrite(file.raw, byte, 1, 0) == -1)
        #expect(errno == EPERM)
    }
}
