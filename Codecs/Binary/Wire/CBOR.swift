/// The initial bytes of RFC 8949 that this format uses, and its limits.
@usableFromInline
enum CBOR {
    // Major types, shifted into place.
    @inlinable static var unsigned: UInt8 { 0x00 }
    @inlinable static var negative: UInt8 { 0x20 }
    @inlinable static var bytes: UInt8 { 0x40 }
    @inlinable static var text: UInt8 { 0x60 }
    @inlinable static var array: UInt8 { 0x80 }
    @inlinable static var map: UInt8 { 0xA0 }
    @inlinable static var tag: UInt8 { 0xC0 }
    @inlinable static var simple: UInt8 { 0xE0 }

    @inlinable static var indefiniteArray: UInt8 { 0x9F }
    @inlinable static var indefiniteMap: UInt8 { 0xBF }
    @inlinable static var end: UInt8 { 0xFF }
    @inlinable static var `false`: UInt8 { 0xF4 }
    @inlinable static var `true`: UInt8 { 0xF5 }
    @inlinable static var null: UInt8 { 0xF6 }
    @inlinable static var float32: UInt8 { 0xFA }
    @inlinable static var float64: UInt8 { 0xFB }

    @inlinable static var positiveBignum: UInt64 { 2 }
    @inlinable static var negativeBignum: UInt64 { 3 }
    @inlinable static var decimalFraction: UInt64 { 4 }
    @inlinable static var uuid: UInt64 { 37 }

    /// Arrays and maps within one another. It bounds the stack that a hostile record can make a reader use.
    @inlinable static var maximumDepth: Int { 128 }

    /// What a value that starts with this byte is, for messages.
    static func describe(_ initial: UInt8) -> String {
        switch initial & 0xE0 {
        case unsigned, negative: "an integer"
        case bytes: "a byte string"
        case text: "a text string"
        case array: "an array"
        case map: "a map"
        case tag: "a tagged value"
        default:
            switch initial {
            case `false`, `true`: "a boolean"
            case null: "null"
            case 0xF9, float32, float64: "a floating-point number"
            case end: "the end of a container"
            default: "the byte 0x" + String(initial, radix: 16)
            }
        }
    }
}

/// The start of a value: its major type and the number that follows.
@usableFromInline
struct CBORHead {
    /// The initial byte.
    @usableFromInline let initial: UInt8
    /// The count, length, tag or value; 0 where ``isIndefinite``.
    @usableFromInline let argument: UInt64

    @inlinable init(initial: UInt8, argument: UInt64) {
        self.initial = initial
        self.argument = argument
    }

    @inlinable var major: UInt8 { initial & 0xE0 }
    @inlinable var isIndefinite: Bool { initial & 0x1F == 31 }
}
