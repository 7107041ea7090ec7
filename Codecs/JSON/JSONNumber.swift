/// A JSON number as its text, so that nothing is rounded: `1e400`, `-0` and `18446744073709551615` stay what they are.
///
/// Two numbers are equal where their texts are.
public struct JSONNumber: Sendable, Hashable, CustomStringConvertible {
    /// The text; always a number by RFC 8259.
    public let text: String

    init(checked text: String) { self.text = text }

    /// Nil unless the text is a number by RFC 8259: no leading zeros, no `+`, no bare point.
    public init?(_ text: String) {
        var copy = text
        let isNumber = copy.withUTF8 { utf8 in
            !utf8.isEmpty && JSONTape.numberEnd(UnsafeRawBufferPointer(utf8), 0) == utf8.count
        }
        guard isNumber else { return nil }
        self.text = text
    }

    public init(_ value: some FixedWidthInteger) { text = String(value) }

    /// The shortest text that reads back the same; nil for infinities and NaN.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        text = value.description
    }

    public var description: String { text }

    /// The number where the type holds it exactly: `1.0` and `1e3` are integers.
    public func integer<T: FixedWidthInteger>(as _: T.Type = T.self) -> T? {
        var copy = text
        return copy.withUTF8 { JSONNumber.integer(UnsafeRawBufferPointer($0)) }
    }

    /// The nearest double; nil where that is infinite.
    public var double: Double? { Double(text).flatMap { $0.isFinite ? $0 : nil } }

    /// The integer that the text of a number means, where `T` holds it exactly.
    static func integer<T: FixedWidthInteger>(_ text: UnsafeRawBufferPointer) -> T? {
        let isNegative = text.first == UInt8(ascii: "-")
        let decimal = JSONDecimalText(text)
        guard decimal.exponent >= 0 else { return nil }
        // No integer type that Codable knows has more than 39 digits.
        guard decimal.digits.count + decimal.exponent <= 39 else { return nil }
        var value: T = 0
        func push(_ digit: UInt8) -> Bool {
            let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) =
                isNegative
                ? tenfold.subtractingReportingOverflow(T(digit)) : tenfold.addingReportingOverflow(T(digit))
            value = sum
            return !overflow && !carry
        }
        for digit in decimal.digits where !push(digit) { return nil }
        for _ in 0..<decimal.exponent where !push(0) { return nil }
        return value
    }
}

/// A number's text as its significant digits and a power of ten.
struct JSONDecimalText: Equatable {
    let isNegative: Bool
    /// Values 0 to 9, with no zero at either end; none for zero.
    let digits: [UInt8]
    let exponent: Int

    /// - Parameter text: a number by RFC 8259.
    init(_ text: UnsafeRawBufferPointer) {
        var digits: [UInt8] = []
        var (fraction, exponent, sawPoint) = (0, 0, false)
        var position = text.first == UInt8(ascii: "-") ? 1 : 0
        while position < text.count {
            let byte = text[position]
            position += 1
            if byte &- 48 < 10 {
                if !digits.isEmpty || byte != 48 { digits.append(byte - 48) }
                if sawPoint { fraction += 1 }
            } else if byte == UInt8(ascii: ".") {
                sawPoint = true
            } else {
                break
            }
        }
        if position < text.count {
            let isMinus = text[position] == UInt8(ascii: "-")
            for byte in text[position...] where byte &- 48 < 10 {
                // Far beyond what any type holds, and far below overflow.
                exponent = min(exponent * 10 + Int(byte - 48), 1 << 40)
            }
            if isMinus { exponent = -exponent }
        }
        exponent -= fraction
        while digits.last == 0 {
            digits.removeLast()
            exponent += 1
        }
        isNegative = text.first == UInt8(ascii: "-") && !digits.isEmpty
        self.digits = digits
        self.exponent = digits.isEmpty ? 0 : exponent
    }
}

extension JSONNumber {
    /// Whether `value` is what was written: an integer that a floating-point type would round is another type's, and so is what has
    /// more digits than a `Float` tells apart. A `Double`'s own fraction may be written with more digits than it needs.
    static func isHeld<T: BinaryFloatingPoint & LosslessStringConvertible>(
        _ text: UnsafeRawBufferPointer, by value: T
    ) -> Bool {
        let isInteger = text.allSatisfy { $0 &- 48 < 10 || $0 == UInt8(ascii: "-") }
        if isInteger {
            // Only what is beyond 128 bits is not told here, and no integer type of ours has that.
            guard let integer: Int128 = JSONNumber.integer(text) else {
                guard let integer: UInt128 = JSONNumber.integer(text) else { return true }
                return T(exactly: integer) != nil
            }
            return T(exactly: integer) != nil
        }
        guard T.self == Float.self else { return true }
        // The shortest text that means this Float means the same number as what was written.
        return Double(value.description) == Double(String(decoding: text, as: UTF8.self))
    }
}

extension BinaryFloatingPoint {
    /// A decimal of so many digits comes back from the type as it was.
    static var exactDigits: Int { significandBitCount < 24 ? 6 : 15 }
}
