/// A cursor over the bytes of one record, which passed the checksum but are otherwise not to be trusted.
///
/// Every read is checked against the end; reading past it throws ``WalError/Code/decoding``. Integers are little endian. The
/// bytes are valid only while the codec's call lasts.
public struct WalDecoder: ~Copyable {
    @usableFromInline package var position: UnsafeRawPointer
    @usableFromInline package let end: UnsafeRawPointer
    @usableFromInline package let start: UnsafeRawPointer

    /// - Parameter bytes: must outlive the decoder.
    @inlinable public init(unsafeBytes bytes: UnsafeRawBufferPointer) {
        // An empty buffer may have no address; any will do, for nothing is read from it.
        let first = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 16).unsafelyUnwrapped
        start = first
        position = first
        end = first + bytes.count
    }

    /// How many bytes are left.
    @inlinable public var remaining: Int { end - position }
    /// How many bytes were read.
    @inlinable public var offset: Int { position - start }
    /// What is left, without moving on. Valid while the codec's call lasts.
    @inlinable public var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: position, count: remaining) }

    @usableFromInline @inline(never) func truncated(_ wanted: Int) -> WalError {
        WalError(.decoding, "the record ends \(wanted - remaining) bytes too early, at byte \(offset)")
    }

    @inlinable @inline(__always) func need(_ count: Int) throws(WalError) {
        if _slowPath(count < 0 || count > remaining) { throw truncated(count) }
    }

    // MARK: Reading

    @inlinable @inline(__always)
    public mutating func read<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type = T.self) throws(WalError) -> T {
        try need(MemoryLayout<T>.size)
        let value = position.loadUnaligned(as: T.self)
        position += MemoryLayout<T>.size
        return T(littleEndian: value)
    }

    /// The next byte, without moving on; nil at the end.
    @inlinable @inline(__always) public func peek() -> UInt8? {
        position < end ? position.load(as: UInt8.self) : nil
    }

    @inlinable public mutating func read(_: Double.Type = Double.self) throws(WalError) -> Double {
        Double(bitPattern: try read(UInt64.self))
    }

    @inlinable public mutating func read(_: Float.Type = Float.self) throws(WalError) -> Float {
        Float(bitPattern: try read(UInt32.self))
    }

    /// LEB128, at most 10 bytes and 64 bits.
    @inlinable public mutating func readVarint() throws(WalError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try read(UInt8.self)
            if shift == 63, byte > 1 { throw WalError(.decoding, "a varint of more than 64 bits, at byte \(offset)") }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    /// A copy of the next `count` bytes. Nothing is allocated before `count` is checked.
    @inlinable @inline(__always) public mutating func readBytes(count: Int) throws(WalError) -> [UInt8] {
        Array(try readBuffer(count: count))
    }

    /// The next `count` bytes where they are. Valid while the codec's call lasts.
    @inlinable @inline(__always)
    public mutating func readBuffer(count: Int) throws(WalError) -> UnsafeRawBufferPointer {
        try need(count)
        defer { position += count }
        return UnsafeRawBufferPointer(start: position, count: count)
    }

    /// The next `count` bytes as UTF-8, which is validated.
    @inlinable public mutating func readString(utf8Count count: Int) throws(WalError) -> String {
        let bytes = try readBuffer(count: count)
        return try WalDecoder.string(bytes, at: offset)
    }

    @inlinable static func string(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(WalError) -> String {
        do {
            let utf8 = try UTF8Span(validating: Span<UInt8>(_unsafeElements: bytes.assumingMemoryBound(to: UInt8.self)))
            return String(copying: utf8)
        } catch {
            throw WalError(.decoding, "a string that is not UTF-8, before byte \(offset)", underlying: error)
        }
    }

    /// Moves on by `count` bytes.
    @inlinable public mutating func skip(_ count: Int) throws(WalError) {
        try need(count)
        position += count
    }

    /// Throws where bytes are left over: a record ends where its bytes do.
    @inlinable @inline(__always) public func expectEnd() throws(WalError) {
        if _slowPath(remaining != 0) { throw leftOver() }
    }

    @usableFromInline @inline(never) func leftOver() -> WalError {
        WalError(.decoding, "\(remaining) bytes are left over behind the record, at byte \(offset)")
    }
}
