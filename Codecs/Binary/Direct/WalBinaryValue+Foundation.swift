public import WriteAheadLog

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Data: WalBinaryValue {
    public func encode(into encoder: inout WalEncoder) { withUnsafeBytes { encoder.value(bytes: $0) } }
    public init(from decoder: inout WalDecoder) throws(WalError) { self = Data(try decoder.bytes()) }
}

/// Seconds since 2001-01-01, as a Double.
extension Date: WalBinaryValue {
    public func encode(into encoder: inout WalEncoder) { timeIntervalSinceReferenceDate.encode(into: &encoder) }
    public init(from decoder: inout WalDecoder) throws(WalError) {
        self = Date(timeIntervalSinceReferenceDate: try Double(from: &decoder))
    }
}

/// Tag 37 and 16 bytes.
extension UUID: WalBinaryValue {
    public func encode(into encoder: inout WalEncoder) {
        encoder.head(CBOR.tag, CBOR.uuid)
        withUnsafeBytes(of: uuid) { encoder.value(bytes: $0) }
    }

    public init(from decoder: inout WalDecoder) throws(WalError) {
        try decoder.expectTag(CBOR.uuid, "a UUID")
        let start = decoder.offset
        let bytes = try decoder.bytes()
        guard bytes.count == 16 else { throw WalDecoder.malformed("a UUID of \(bytes.count) bytes", at: start) }
        self = UUID(uuid: bytes.loadUnaligned(as: uuid_t.self))
    }
}

/// Its absolute string.
extension URL: WalBinaryValue {
    public func encode(into encoder: inout WalEncoder) { encoder.text(absoluteString) }

    public init(from decoder: inout WalDecoder) throws(WalError) {
        let start = decoder.offset
        let string = try String(from: &decoder)
        guard let url = URL(string: string) else {
            throw WalDecoder.malformed("a string that is no URL", at: start)
        }
        self = url
    }
}

/// Tag 4 and [exponent, mantissa]; the one that is not a number is a Double that is not.
extension Decimal: WalBinaryValue {
    public func encode(into encoder: inout WalEncoder) {
        guard let (digits, exponent) = parts else { return Double.nan.encode(into: &encoder) }
        encoder.head(CBOR.tag, CBOR.decimalFraction)
        encoder.head(CBOR.array, 2)
        encoder.integer(exponent)
        if isSignMinus, digits > 0 {
            // CBOR's negative integers start at -1, so that one less is written.
            let argument = digits - 1
            if let small = UInt64(exactly: argument) {
                encoder.head(CBOR.negative, small)
            } else {
                encoder.bignum(CBOR.negativeBignum, argument)
            }
        } else {
            encoder.integer(digits)
        }
    }

    public init(from decoder: inout WalDecoder) throws(WalError) {
        let start = decoder.offset
        if decoder.peek() == CBOR.float64 {
            guard try Double(from: &decoder).isNaN else {
                throw WalDecoder.malformed("expected a decimal fraction", at: start)
            }
            self = .nan
            return
        }
        try decoder.expectTag(CBOR.decimalFraction, "a decimal fraction")
        var parts = try decoder.beginArray()
        guard try decoder.next(in: &parts) else { throw WalDecoder.malformed("an empty decimal fraction", at: start) }
        let exponent = try Int(from: &decoder)
        guard (-128...127).contains(exponent) else {
            throw WalDecoder.malformed("a decimal exponent of \(exponent)", at: start)
        }
        guard try decoder.next(in: &parts) else { throw WalDecoder.malformed("a decimal without digits", at: start) }
        let (isNegative, digits) = try Decimal.mantissa(from: &decoder)
        guard try !decoder.next(in: &parts) else { throw WalDecoder.malformed("a decimal of three parts", at: start) }
        self = Decimal(isNegative: isNegative, digits: digits, exponent: exponent)
    }

    private static func mantissa(
        from decoder: inout WalDecoder
    ) throws(WalError) -> (isNegative: Bool, digits: UInt128) {
        let start = decoder.offset
        guard let initial = decoder.peek(), initial & 0xE0 == CBOR.tag else {
            let value = try Int128(from: &decoder)
            return (value < 0, value.magnitude)
        }
        let (isNegative, magnitude) = try decoder.bignumParts()
        guard isNegative else { return (false, magnitude) }
        let (digits, overflow) = magnitude.addingReportingOverflow(1)
        if overflow { throw WalDecoder.malformed("a decimal of more than 128 bits", at: start) }
        return (true, digits)
    }

    /// Digits and exponent without trailing zeros, so that equal decimals have equal bytes; nil where the value is not a number.
    private var parts: (digits: UInt128, exponent: Int)? {
        // The words of the mantissa are not public everywhere; the digits of an integral decimal are exact.
        guard !isNaN, var digits = UInt128(magnitude.significand.description) else { return nil }
        guard digits != 0 else { return (0, 0) }
        var exponent = exponent
        while digits.isMultiple(of: 10), exponent < 127 {
            digits /= 10
            exponent += 1
        }
        return (digits, exponent)
    }

    private init(isNegative: Bool, digits: UInt128, exponent: Int) {
        let halves = (high: UInt64(truncatingIfNeeded: digits >> 64), low: UInt64(truncatingIfNeeded: digits))
        // 2^64, in two steps, for no literal of that size is exact everywhere.
        let shift = Decimal(UInt64(1) << 32) * Decimal(UInt64(1) << 32)
        let significand = halves.high == 0 ? Decimal(halves.low) : Decimal(halves.high) * shift + Decimal(halves.low)
        self.init(sign: isNegative && digits > 0 ? .minus : .plus, exponent: exponent, significand: significand)
    }
}
