import CSeccomp
import Glibc

/// A classic BPF program and an interpreter for the instructions that seccomp allows.
struct FilterProgram {
    /// What the kernel would do.
    enum Verdict: Equatable {
        case allow
        case errno(Int32)
        case kill
        case other(UInt32)
        case invalid
    }

    private struct Instruction {
        var code: UInt16
        var onTrue: Int
        var onFalse: Int
        var value: UInt32
    }

    private let instructions: [Instruction]

    init(descriptor: Int32) throws {
        var bytes = [UInt8](repeating: 0, count: 4096 * 8)
        let held = unsafe pread(descriptor, &bytes, bytes.count, 0)
        instructions = stride(from: 0, to: max(0, held), by: 8).map { at in
            let value = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[at + 4 + $1]) << UInt32($1 * 8) }
            return Instruction(
                code: UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8,
                onTrue: Int(bytes[at + 2]),
                onFalse: Int(bytes[at + 3]),
                value: value
            )
        }
    }

    var count: Int { instructions.count }

    static func number(of name: String) -> UInt32? {
        let number = unsafe seccomp_syscall_resolve_name(name)
        return number < 0 ? nil : UInt32(number)
    }

    /// Runs the program on one call; missing arguments are 0.
    func verdict(_ number: UInt32, _ arguments: [UInt64] = [], architecture: UInt32 = 0xC000_003E) -> Verdict {
        var words = [UInt32](repeating: 0, count: 16)
        words[0] = number
        words[1] = architecture
        for (index, argument) in arguments.enumerated() {
            words[4 + index * 2] = UInt32(truncatingIfNeeded: argument)
            words[5 + index * 2] = UInt32(truncatingIfNeeded: argument >> 32)
        }
        var accumulator: UInt32 = 0
        var position = 0
        while position < instructions.count {
            let instruction = instructions[position]
            position += 1
            switch instruction.code {
            case 0x20:
                guard instruction.value % 4 == 0, instruction.value < 64 else { return .invalid }
                accumulator = words[Int(instruction.value / 4)]
            case 0x54: accumulator &= instruction.value
            case 0x05: position += Int(instruction.value)
            case 0x15: position += accumulator == instruction.value ? instruction.onTrue : instruction.onFalse
            case 0x25: position += accumulator > instruction.value ? instruction.onTrue : instruction.onFalse
            case 0x35: position += accumulator >= instruction.value ? instruction.onTrue : instruction.onFalse
            case 0x45: position += accumulator & instruction.value != 0 ? instruction.onTrue : instruction.onFalse
            case 0x06: return Self.verdict(instruction.value)
            default: return .invalid
            }
        }
        return .invalid
    }

    private static func verdict(_ value: UInt32) -> Verdict {
        switch value & 0xFFFF_0000 {
        case 0x7FFF_0000: .allow
        case 0x0005_0000: .errno(Int32(value & 0xFFFF))
        case 0x8000_0000: .kill
        default: .other(value)
        }
    }
}
