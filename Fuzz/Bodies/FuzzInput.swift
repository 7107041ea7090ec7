/// Takes decisions and values from an input's front; at its end everything is zero.
struct FuzzInput {
    private(set) var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 {
        guard let first = rest.first else { return 0 }
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst())
        return first
    }

    mutating func short() -> Int { Int(byte()) | Int(byte()) << 8 }

    mutating func long() -> UInt64 { (0..<8).reduce(0) { $0 | UInt64(byte()) << UInt64(8 * $1) } }

    /// Mostly numbers at which something changes: near zero, near powers of two, near the end of what LSNs may be.
    mutating func number() -> UInt64 {
        let choice = byte()
        switch choice {
        case 0..<0x80: return UInt64(choice)
        case 0x80..<0xC0: return (1 << UInt64(choice & 0x3F)) &- 1
        case 0xC0..<0xE0: return UInt64.max - UInt64(choice & 0x1F)
        case 0xE0..<0xF0: return (1 << 56) &- 8 &+ UInt64(choice & 0xF)
        case 0xF0..<0xF8: return UInt64(short())
        case 0xF8..<0xFC: return 12_288 &+ UInt64(short())
        default: return long()
        }
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        let taken = Array(rest.prefix(count))
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        return taken
    }
}
