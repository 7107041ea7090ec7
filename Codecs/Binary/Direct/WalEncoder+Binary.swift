public import WriteAheadLog

/// Writing the binary format by hand, for ``WalDirectCodable`` and ``WalBinaryValue`` types.
///
/// An enum looks like this, and its bytes are those that `Codable` would have written:
///
///     func encode(into encoder: inout WalEncoder) {
///         switch self {
///         case .put(let key, let value):
///             encoder.beginCase("put")
///             encoder.field("key", key)
///             encoder.field("value", value)
///         case .delete(let key):
///             encoder.beginCase("delete")
///             encoder.field("key", key)
///         }
///         encoder.endCase()
///     }
extension WalEncoder {
    // MARK: Containers

    /// Opens a map: a struct's fields.
    @inlinable public mutating func beginMap() { write(CBOR.indefiniteMap) }
    /// Closes the map opened last.
    @inlinable public mutating func endMap() { write(CBOR.end) }
    /// Opens an array.
    @inlinable public mutating func beginArray() { write(CBOR.indefiniteArray) }
    /// Closes the array opened last.
    @inlinable public mutating func endArray() { write(CBOR.end) }

    /// Opens an enum's case; its payload follows as fields. A payload without a label is named `_0`, `_1` and so on by its
    /// place, as `Codable` has it.
    @inlinable @inline(__always) public mutating func beginCase(_ name: StaticString) {
        let count = name.utf8CodeUnitCount
        if count < 24, name.hasPointerRepresentation {
            // Each change of `used` waits for the one before, so that there is one for all.
            reserve(count &+ 3)
            let target = base + used
            target.storeBytes(
                of: UInt16(CBOR.indefiniteMap) | UInt16(truncatingIfNeeded: Int(CBOR.text) | count) << 8,
                as: UInt16.self)
            (target + 2).copyMemory(from: name.utf8Start, byteCount: count)
            target.storeBytes(of: CBOR.indefiniteMap, toByteOffset: 2 &+ count, as: UInt8.self)
            used &+= count &+ 3
        } else {
            write(CBOR.indefiniteMap)
            longKey(name)
            write(CBOR.indefiniteMap)
        }
    }

    /// Closes the case opened last.
    @inlinable public mutating func endCase() { write(UInt16(0xFFFF)) }

    // MARK: Fields

    /// Writes a key alone; its value is to follow.
    @inlinable @inline(__always) public mutating func key(_ name: StaticString) {
        let count = name.utf8CodeUnitCount
        if count < 24, name.hasPointerRepresentation {
            reserve(count &+ 1)
            let target = base + used
            target.storeBytes(of: CBOR.text | UInt8(truncatingIfNeeded: count), as: UInt8.self)
            (target + 1).copyMemory(from: name.utf8Start, byteCount: count)
            used &+= count &+ 1
        } else {
            longKey(name)
        }
    }

    @usableFromInline @inline(never) mutating func longKey(_ name: StaticString) { value(name.description) }

    /// Writes a key and its value.
    @inlinable @inline(__always)
    public mutating func field<Value: WalBinaryValue>(_ name: StaticString, _ value: borrowing Value) {
        key(name)
        value.encode(into: &self)
    }

    /// Writes a key and its value, or neither where it is nil: what `Codable` does with an optional property.
    @inlinable @inline(__always)
    public mutating func fieldIfPresent<Value: WalBinaryValue>(_ name: StaticString, _ value: Value?) {
        if let value { field(name, value) }
    }

    // MARK: Values

    /// Writes a value on its own: an element of an array.
    @inlinable @inline(__always) public mutating func value<Value: WalBinaryValue>(_ value: borrowing Value) {
        value.encode(into: &self)
    }

    /// Writes a byte string. Out of line, so that what encodes a record stays small enough for its constants to be folded in.
    @inline(never) public mutating func value(bytes: UnsafeRawBufferPointer) {
        let count = bytes.count
        // What follows calls nothing, which spares it the saving of registers.
        guard let source = bytes.baseAddress, WalEncoder.copiesInline.contains(count), capacity &- used >= 2 &+ count
        else { return anyValue(bytes: bytes) }
        let target = base + used
        let short = count < 24
        let head = short ? UInt16(CBOR.bytes) | UInt16(count) : UInt16(CBOR.bytes | 24) | UInt16(count) << 8
        target.storeBytes(of: head.littleEndian, as: UInt16.self)
        let size = short ? 1 : 2
        WalEncoder.copy(source, to: target + size, count)
        used &+= size &+ count
    }

    @inline(never) private mutating func anyValue(bytes: UnsafeRawBufferPointer) {
        head(CBOR.bytes, UInt64(truncatingIfNeeded: bytes.count))
        write(bytes: bytes)
    }

    /// Writes null.
    @inlinable public mutating func null() { write(CBOR.null) }

    /// Major type and argument, in the shortest form.
    @inlinable @inline(__always) mutating func head(_ major: UInt8, _ argument: UInt64) {
        if argument < 24 {
            write(major | UInt8(truncatingIfNeeded: argument))
        } else if argument < 256 {
            write(UInt16(major | 24) | UInt16(truncatingIfNeeded: argument) << 8)
        } else {
            wideHead(major, argument)
        }
    }

    @inlinable mutating func wideHead(_ major: UInt8, _ argument: UInt64) {
        reserve(9)
        switch argument {
        case ...0xFF:
            write(major | 24)
            write(UInt8(truncatingIfNeeded: argument))
        case ...0xFFFF:
            write(major | 25)
            write(UInt16(truncatingIfNeeded: argument).byteSwapped)
        case ...0xFFFF_FFFF:
            write(major | 26)
            write(UInt32(truncatingIfNeeded: argument).byteSwapped)
        default:
            write(major | 27)
            write(argument.byteSwapped)
        }
    }

    @inlinable @inline(__always) mutating func integer<T: FixedWidthInteger>(_ value: T) {
        if T.isSigned, value < 0 {
            // -1 - n is what ~n is in two's complement, so the most negative value needs no special case.
            let argument = ~value
            if T.bitWidth > 64, argument > T(truncatingIfNeeded: UInt64.max) {
                bignum(CBOR.negativeBignum, UInt128(truncatingIfNeeded: argument))
            } else {
                head(CBOR.negative, UInt64(truncatingIfNeeded: argument))
            }
        } else if T.bitWidth > 64, value > T(truncatingIfNeeded: UInt64.max) {
            bignum(CBOR.positiveBignum, UInt128(truncatingIfNeeded: value))
        } else {
            head(CBOR.unsigned, UInt64(truncatingIfNeeded: value))
        }
    }

    @usableFromInline @inline(never) mutating func bignum(_ tag: UInt64, _ value: UInt128) {
        head(CBOR.tag, tag)
        let count = (UInt128.bitWidth - value.leadingZeroBitCount + 7) / 8
        head(CBOR.bytes, UInt64(count))
        for index in (0..<count).reversed() {
            write(UInt8(truncatingIfNeeded: value >> UInt128(index * 8)))
        }
    }

    @inlinable mutating func text(_ string: String) {
        var string = string
        string.withUTF8 { utf8 in
            head(CBOR.text, UInt64(truncatingIfNeeded: utf8.count))
            write(bytes: UnsafeRawBufferPointer(utf8))
        }
    }
}
