#if Macros
import Foundation
import WalMacros

/// The same values in each run.
struct Source: RandomNumberGenerator {
    var state: UInt64
    /// How many levels a type that holds itself may still go down.
    var depth = 3

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &self) }
    mutating func pick<C: RandomAccessCollection>(_ choices: C) -> C.Element where C.Index == Int {
        choices[below(choices.count)]
    }

    /// Where it says yes, the caller gives the level back.
    mutating func goesDeeper() -> Bool {
        guard depth > 0, below(3) == 0 else { return false }
        depth -= 1
        return true
    }
}

/// A type of which values can be made up.
protocol Arbitrary {
    static func random(_ source: inout Source) -> Self
}

func arbitrary<Value: Arbitrary>(_ source: inout Source) -> Value { Value.random(&source) }

/// As Codable reads it: what is nil within an optional comes back as the outer nil.
typealias MaybeInt = Int?
typealias Maybe<Value> = Value?

extension FixedWidthInteger {
    /// Small ones, large ones, and the ends: each length of the coding comes up.
    static func random(_ source: inout Source) -> Self {
        switch source.below(4) {
        case 0: Self(truncatingIfNeeded: source.below(24))
        case 1: source.pick([Self.min, Self.max, 0, 1])
        default:
            random(in: min...max, using: &source) >> Self(truncatingIfNeeded: source.below(bitWidth))
        }
    }
}
extension Int: Arbitrary {}
extension Int8: Arbitrary {}
extension Int16: Arbitrary {}
extension Int32: Arbitrary {}
extension Int64: Arbitrary {}
extension Int128: Arbitrary {}
extension UInt: Arbitrary {}
extension UInt8: Arbitrary {}
extension UInt16: Arbitrary {}
extension UInt32: Arbitrary {}
extension UInt64: Arbitrary {}
extension UInt128: Arbitrary {}

extension Bool: Arbitrary {
    static func random(_ source: inout Source) -> Bool { source.below(2) == 0 }
}

extension Double: Arbitrary {
    static func random(_ source: inout Source) -> Double {
        source.pick([0, -0.0, 1.5, .infinity, .pi, .leastNonzeroMagnitude, random(in: -1e9...1e9, using: &source)])
    }
}

extension Float: Arbitrary {
    static func random(_ source: inout Source) -> Float {
        source.pick([0, -1.5, .infinity, .greatestFiniteMagnitude, random(in: -1e9...1e9, using: &source)])
    }
}

extension String: Arbitrary {
    static func random(_ source: inout Source) -> String {
        let length = source.pick([0, 1, 5, 23, 24, 30, 260])
        let letters = Array("abc é\u{0}\n\"\u{1F600}名")
        return String((0..<source.below(length + 1)).map { _ in source.pick(letters) })
    }
}

extension Data: Arbitrary {
    static func random(_ source: inout Source) -> Data { Data([UInt8].random(&source)) }
}

extension Date: Arbitrary {
    static func random(_ source: inout Source) -> Date {
        Date(timeIntervalSinceReferenceDate: Double.random(in: -1e9...1e9, using: &source))
    }
}

extension UUID: Arbitrary {
    static func random(_ source: inout Source) -> UUID {
        let halves = (source.next(), source.next())
        return withUnsafeBytes(of: halves) { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }
}

extension Decimal: Arbitrary {
    static func random(_ source: inout Source) -> Decimal {
        Decimal(
            sign: Bool.random(&source) ? .plus : .minus, exponent: source.below(40) - 20,
            significand: Decimal(UInt64.random(&source)))
    }
}

extension URL: Arbitrary {
    static func random(_ source: inout Source) -> URL {
        URL(string: "https://example.org/\(source.below(1_000))?a=b") ?? URL(fileURLWithPath: "/")
    }
}

extension Optional: Arbitrary where Wrapped: Arbitrary {
    static func random(_ source: inout Source) -> Wrapped? {
        guard source.below(3) > 0 else { return nil }
        let value = Wrapped.random(&source)
        // The inner nil of two cannot be told from the outer one.
        if let inner = value as? any AnyOptional, inner.isNil { return nil }
        return value
    }
}

private protocol AnyOptional { var isNil: Bool { get } }
extension Optional: AnyOptional {
    fileprivate var isNil: Bool { self == nil }
}

extension Array: Arbitrary where Element: Arbitrary {
    static func random(_ source: inout Source) -> [Element] {
        let most = Element.self == UInt8.self ? source.pick([3, 30, 300]) : 3
        return (0..<source.below(most + 1)).map { _ in Element.random(&source) }
    }
}

extension Set: Arbitrary where Element: Arbitrary {
    static func random(_ source: inout Source) -> Set { Set([Element].random(&source)) }
}

extension Dictionary: Arbitrary where Key: Arbitrary, Value: Arbitrary {
    static func random(_ source: inout Source) -> [Key: Value] {
        Dictionary((0..<source.below(4)).map { _ in (Key.random(&source), Value.random(&source)) }) { $1 }
    }
}
#endif
