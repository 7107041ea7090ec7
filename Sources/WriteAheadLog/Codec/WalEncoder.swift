internal import CWalShims

/// A growing run of bytes to which a codec appends a record.
///
/// Its memory is borrowed from the thread that makes it, so that encoding a record of up to a MiB allocates nothing once the
/// thread has warmed up. Integers are little endian.
public struct WalEncoder: ~Copyable {
    @usableFromInline package var base: UnsafeMutableRawPointer
    @usableFromInline package var used: Int
    @usableFromInline package var capacity: Int

    /// - Parameter minimumCapacity: bytes to have at hand from the start.
    public init(minimumCapacity: Int = 0) {
        let scratch = wal_scratch_take(Swift.max(minimumCapacity, 0))
        guard let memory = scratch.base else { preconditionFailure("out of memory: \(minimumCapacity) bytes") }
        base = memory
        capacity = scratch.capacity
        used = 0
    }

    deinit { wal_scratch_give(base, capacity) }

    /// How many bytes were written.
    @inlinable public var count: Int { used }

    /// Forgets what was written and keeps the memory.
    @inlinable public mutating func reset() { used = 0 }

    /// Forgets all but the first `count` bytes.
    @inlinable public mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= used, "cannot truncate \(used) bytes to \(count)")
        used = count
    }

    /// Makes room for `count` bytes more.
    @inlinable @inline(__always) public mutating func reserve(_ count: Int) {
        if count > capacity &- used { grow(count) }
    }

    @usableFromInline @inline(never) mutating func grow(_ count: Int) {
        let (needed, overflow) = used.addingReportingOverflow(Swift.max(count, 0))
        precondition(!overflow && needed < Int.max / 2, "a record of more than \(Int.max / 2) bytes")
        let scratch = wal_scratch_take(Swift.max(capacity &* 2, needed))
        guard let memory = scratch.base else { preconditionFailure("out of memory: \(needed) bytes for one record") }
        memory.copyMemory(from: base, byteCount: used)
        wal_scratch_give(base, capacity)
        base = memory
        capacity = scratch.capacity
    }

    // MARK: Writing

    @inlinable @inline(__always) public mutating func write(_ byte: UInt8) {
        reserve(1)
        base.storeBytes(of: byte, toByteOffset: used, as: UInt8.self)
        used &+= 1
    }

    /// Little endian, in the integer's full width.
    @inlinable @inline(__always)
    public mutating func write<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
        reserve(MemoryLayout<T>.size)
        base.storeBytes(of: value.littleEndian, toByteOffset: used, as: T.self)
        used &+= MemoryLayout<T>.size
    }

    /// The bit pattern, little endian.
    @inlinable public mutating func write(_ value: Double) { write(value.bitPattern) }
    /// The bit pattern, little endian.
    @inlinable public mutating func write(_ value: Float) { write(value.bitPattern) }

    /// The bytes alone, with no length before them.
    @inlinable @inline(__always) public mutating func write(bytes: UnsafeRawBufferPointer) {
        let count = bytes.count
        reserve(count)
        if let source = bytes.baseAddress { WalEncoder.copy(source, to: base + used, count) }
        used &+= count
    }

    /// How many bytes ``copy(_:to:_:)`` copies without a call.
    package static var copiesInline: ClosedRange<Int> { @inlinable get { 8...128 } }

    /// Copies bytes, small runs of them without a call.
    @inlinable @inline(__always)
    package static func copy(_ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ count: Int) {
        // Two steps, the second over part of the first: less than a call costs. No loop, which the compiler would make a call.
        if count >= 64, count <= 128 {
            copyEnds(source, target, count, SIMD8<UInt64>.self)
        } else if count >= 32, count < 64 {
            copyEnds(source, target, count, SIMD4<UInt64>.self)
        } else if count >= 16, count < 32 {
            copyEnds(source, target, count, SIMD2<UInt64>.self)
        } else if count >= 8, count < 16 {
            copyEnds(source, target, count, UInt64.self)
        } else {
            target.copyMemory(from: source, byteCount: count)
        }
    }

    /// Copies the first bytes and the last, each as many as a `Word` has: all of them, if that is half or more.
    @inlinable @inline(__always)
    static func copyEnds<Word: BitwiseCopyable>(
        _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ count: Int, _: Word.Type
    ) {
        let behind = count &- MemoryLayout<Word>.size
        let first = source.loadUnaligned(as: Word.self)
        let last = source.loadUnaligned(fromByteOffset: behind, as: Word.self)
        target.storeBytes(of: first, as: Word.self)
        target.storeBytes(of: last, toByteOffset: behind, as: Word.self)
    }

    /// The bytes alone, with no length before them.
    @inlinable @inline(__always) public mutating func write(bytes: [UInt8]) {
        bytes.withUnsafeBytes { write(bytes: $0) }
    }
    /// The bytes alone, with no length before them.
    @inlinable @inline(__always) public mutating func write(bytes: RawSpan) {
        bytes.withUnsafeBytes { write(bytes: $0) }
    }
    /// UTF-8, with no length before it.
    @inlinable public mutating func write(utf8 string: String) {
        var string = string
        string.withUTF8 { write(bytes: UnsafeRawBufferPointer($0)) }
    }

    /// LEB128: seven bits a byte, least significant first; 1 to 10 bytes.
    @inlinable public mutating func write(varint value: UInt64) {
        reserve(10)
        var value = value
        while value >= 0x80 {
            base.storeBytes(of: UInt8(truncatingIfNeeded: value) | 0x80, toByteOffset: used, as: UInt8.self)
            used &+= 1
            value >>= 7
        }
        base.storeBytes(of: UInt8(truncatingIfNeeded: value), toByteOffset: used, as: UInt8.self)
        used &+= 1
    }

    /// Lets `body` write straight into room for `count` bytes; it returns how many it wrote, at most `count`.
    @inlinable public mutating func write<E: Error>(
        upTo count: Int, _ body: (UnsafeMutableRawBufferPointer) throws(E) -> Int
    ) throws(E) {
        reserve(count)
        let written = try body(UnsafeMutableRawBufferPointer(start: base + used, count: count))
        precondition(written >= 0 && written <= count, "wrote \(written) bytes into room for \(count)")
        used &+= written
    }

    /// Overwrites bytes that were written earlier: a length that is known only afterwards.
    @inlinable @inline(__always) public mutating func overwrite<T: FixedWidthInteger & BitwiseCopyable>(
        _ value: T, at offset: Int
    ) {
        precondition(offset >= 0 && offset <= used - MemoryLayout<T>.size, "offset \(offset) of \(used)")
        base.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
    }

    // MARK: Reading back

    /// What was written. Valid within `body` only.
    @inlinable public borrowing func withBytes<R, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try body(UnsafeRawBufferPointer(start: base, count: used))
    }

    @inlinable package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: used) }
}
