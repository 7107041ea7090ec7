public import WriteAheadLog

extension WalBinaryValue where Self: FixedWidthInteger {
    @inlinable @inline(__always) public func encode(into encoder: inout WalEncoder) { encoder.integer(self) }
    @inlinable @inline(__always) public init(from decoder: inout WalDecoder) throws(WalError) {
        self = try decoder.integer()
    }
}

extension Int: WalBinaryValue {}
extension Int8: WalBinaryValue {}
extension Int16: WalBinaryValue {}
extension Int32: WalBinaryValue {}
extension Int64: WalBinaryValue {}
extension Int128: WalBinaryValue {}
extension UInt: WalBinaryValue {}
extension UInt8: WalBinaryValue {}
extension UInt16: WalBinaryValue {}
extension UInt32: WalBinaryValue {}
extension UInt64: WalBinaryValue {}
extension UInt128: WalBinaryValue {}

extension Bool: WalBinaryValue {
    @inlinable public func encode(into encoder: inout WalEncoder) { encoder.write(self ? CBOR.true : CBOR.false) }

    @inlinable public init(from decoder: inout WalDecoder) throws(WalError) {
        switch decoder.peek() {
        case CBOR.true: self = true
        case CBOR.false: self = false
        default: throw decoder.mismatch("a boolean")
        }
        try decoder.skip(1)
    }
}

extension Double: WalBinaryValue {
    @inlinable public func encode(into encoder: inout WalEncoder) {
        encoder.write(CBOR.float64)
        encoder.write(bitPattern.byteSwapped)
    }

    @inlinable public init(from decoder: inout WalDecoder) throws(WalError) {
        switch decoder.peek() {
        case CBOR.float64:
            try decoder.skip(1)
            self = Double(bitPattern: try decoder.read(UInt64.self).byteSwapped)
        case CBOR.float32:
            try decoder.skip(1)
            self = Double(Float(bitPattern: try decoder.read(UInt32.self).byteSwapped))
        default: throw decoder.mismatch("a floating-point number")
        }
    }
}

extension Float: WalBinaryValue {
    @inlinable public func encode(into encoder: inout WalEncoder) {
        encoder.write(CBOR.float32)
        encoder.write(bitPattern.byteSwapped)
    }

    @inlinable public init(from decoder: inout WalDecoder) throws(WalError) {
        let start = decoder.offset
        switch decoder.peek() {
        case CBOR.float32:
            try decoder.skip(1)
            self = Float(bitPattern: try decoder.read(UInt32.self).byteSwapped)
        case CBOR.float64:
            try decoder.skip(1)
            let wide = Double(bitPattern: try decoder.read(UInt64.self).byteSwapped)
            let narrow = Float(wide)
            guard Double(narrow) == wide || wide.isNaN else {
                throw WalDecoder.malformed("\(wide) is not exactly a Float; read it as a Double", at: start)
            }
            self = narrow
        default: throw decoder.mismatch("a floating-point number")
        }
    }
}

extension String: WalBinaryValue {
    @inlinable public func encode(into encoder: inout WalEncoder) { encoder.text(self) }

    @inlinable public init(from decoder: inout WalDecoder) throws(WalError) {
        self = try decoder.readString(utf8Count: try decoder.length(CBOR.text, "a text string"))
    }
}
