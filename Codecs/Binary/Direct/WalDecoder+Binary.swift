public import WriteAheadLog

/// Reading the binary format by hand, for ``WalDirectCodable`` and ``WalBinaryValue`` types.
///
/// Ask for the fields in the order in which they are written: then each costs a comparison. Fields in another order are found,
/// and fields that are not asked for are passed over.
///
///     init(from decoder: inout WalDecoder) throws(WalError) {
///         var fields = try decoder.beginCase()
///         if fields.isCase("put") {
///             self = .put(
///                 key: try decoder.field("key", in: &fields), value: try decoder.field("value", in: &fields))
///         } else if fields.isCase("delete") {
///             self = .delete(key: try decoder.field("key", in: &fields))
///         } else {
///             throw decoder.unknownCase(fields)
///         }
///         try decoder.endCase(&fields)
///     }
extension WalDecoder {
    // MARK: Fields

    /// Opens a map: a struct's fields.
    @inlinable public mutating func beginFields() throws(WalError) -> WalBinaryFields {
        try beginContainer(CBOR.map, "a map", atLeast: 2)
    }

    /// Opens an enum's case: a map with one key, whose value is the map of the payload's fields.
    @inlinable @inline(__always) public mutating func beginCase() throws(WalError) -> WalBinaryFields {
        // As this library writes it: two maps of unknown length, and between them a name of less than 24 bytes.
        let left = remaining
        if _fastPath(left >= 3 && (left <= WalDecoder.shallow || offset > 0) && byte(0) == CBOR.indefiniteMap) {
            let count = Int(byte(1) ^ CBOR.text)
            if _fastPath(count < 24 && left >= 3 &+ count && byte(2 &+ count) == CBOR.indefiniteMap) {
                let name = UnsafeRawBufferPointer(start: position + 2, count: count)
                position += 3 &+ count
                var fields = WalBinaryFields(first: position, total: -1)
                fields.name = name
                fields.outerTotal = -1
                return fields
            }
        }
        return try beginAnyCase()
    }

    /// A record of so many bytes cannot nest deep enough to matter.
    @inlinable static var shallow: Int { 512 }

    /// A byte that is known to be there.
    @inlinable @inline(__always) func byte(_ index: Int) -> UInt8 {
        position.load(fromByteOffset: index, as: UInt8.self)
    }

    @inlinable @inline(never) mutating func beginAnyCase() throws(WalError) -> WalBinaryFields {
        let start = offset
        let outer = try beginFields()
        if outer.total >= 0, outer.total != 1 { throw WalDecoder.malformed("an enum has one key", at: start) }
        let name = try readBuffer(count: try length(CBOR.text, "an enum case's name"))
        var fields = try beginFields()
        fields.name = name
        fields.outerTotal = outer.total
        return fields
    }

    /// Reads the value of a field, wherever in the map it is.
    @inlinable @inline(__always)
    public mutating func field<Value: WalBinaryValue>(
        _ name: StaticString, in fields: inout WalBinaryFields
    ) throws(WalError) -> Value {
        if _fastPath(isNext(name, in: fields)) {
            position += name.utf8CodeUnitCount &+ 1
            fields.passed &+= 1
            return try Value(from: &self)
        }
        return try fieldElsewhere(name, in: &fields)
    }

    /// Reads the value of a field, or nil where it is missing or null: what `Codable` does with an optional property.
    @inlinable @inline(__always)
    public mutating func fieldIfPresent<Value: WalBinaryValue>(
        _ name: StaticString, in fields: inout WalBinaryFields
    ) throws(WalError) -> Value? {
        if _fastPath(isNext(name, in: fields)) {
            position += name.utf8CodeUnitCount &+ 1
            fields.passed &+= 1
            return try Value?(from: &self)
        }
        return try fieldElsewhereIfPresent(name, in: &fields)
    }

    /// Whether the map has this field; the value may be null.
    public mutating func hasField(_ name: StaticString, in fields: inout WalBinaryFields) throws(WalError) -> Bool {
        let (here, passed) = (position, fields.passed)
        let found = try find(name, in: &fields)
        (position, fields.passed) = (here, passed)
        return found != nil
    }

    /// Passes over what is left of a map.
    @inlinable public mutating func endFields(_ fields: inout WalBinaryFields) throws(WalError) {
        if fields.total < 0, peek() == CBOR.end { return try skip(1) }
        while try next(in: &fields) {
            try skipValue()
            try skipValue()
        }
    }

    /// Passes over what is left of an enum's case.
    @inlinable @inline(__always) public mutating func endCase(_ fields: inout WalBinaryFields) throws(WalError) {
        if _fastPath(
            fields.total < 0 && fields.outerTotal < 0 && remaining >= 2 && byte(0) == CBOR.end && byte(1) == CBOR.end)
        {
            position += 2
        } else {
            try endAnyCase(&fields)
        }
    }

    @inlinable @inline(never) mutating func endAnyCase(_ fields: inout WalBinaryFields) throws(WalError) {
        try endFields(&fields)
        guard fields.outerTotal < 0 else { return }
        guard peek() == CBOR.end else { throw WalDecoder.malformed("an enum has one key", at: offset) }
        try skip(1)
    }

    /// The error for an enum's case that this build does not know.
    @inline(never) public func unknownCase(_ fields: borrowing WalBinaryFields) -> WalError {
        WalDecoder.malformed(
            "no case is named \"\(String(decoding: fields.name, as: UTF8.self))\"; a newer build may have written it",
            at: offset)
    }

    // MARK: Arrays

    /// Opens an array; ``next(in:)`` then says whether an element follows.
    @inlinable public mutating func beginArray() throws(WalError) -> WalBinaryFields {
        try beginContainer(CBOR.array, "an array", atLeast: 1)
    }

    /// Whether another element follows; where none does, the array's end has been passed.
    @inlinable public mutating func next(in fields: inout WalBinaryFields) throws(WalError) -> Bool {
        if fields.total >= 0 {
            guard fields.passed < fields.total else { return false }
        } else if peek() == CBOR.end {
            try skip(1)
            return false
        }
        fields.passed &+= 1
        return true
    }

    // MARK: Values

    /// Reads a value on its own: an element of an array.
    @inlinable public mutating func value<Value: WalBinaryValue>(
        _: Value.Type = Value.self
    ) throws(WalError) -> Value {
        try Value(from: &self)
    }

    /// Reads a byte string where it is. Valid while the codec's call lasts.
    @inlinable @inline(__always) public mutating func bytes() throws(WalError) -> UnsafeRawBufferPointer {
        // Of less than 256 bytes, in the shortest form.
        let left = remaining
        if _fastPath(left >= 2) {
            let short = Int(byte(0) ^ CBOR.bytes)
            let (head, count) = short < 24 ? (1, short) : (2, Int(byte(1)))
            if _fastPath(short <= 24 && left >= head &+ count) {
                defer { position += head &+ count }
                return UnsafeRawBufferPointer(start: position + head, count: count)
            }
        }
        return try readBuffer(count: try length(CBOR.bytes, "a byte string"))
    }

    /// Passes over one value of any kind.
    public mutating func skipValue() throws(WalError) { try skipValue(depth: 0) }

    mutating func skipValue(depth: Int) throws(WalError) {
        let start = offset
        var head = try head()
        // Tags may be chained; they nest nothing that needs the stack.
        while head.major == CBOR.tag {
            if head.isIndefinite { throw WalDecoder.malformed("a tag without a number", at: start) }
            head = try self.head()
        }
        switch head.major {
        case CBOR.unsigned, CBOR.negative:
            if head.isIndefinite { throw WalDecoder.malformed("an integer without a value", at: start) }
        case CBOR.bytes, CBOR.text:
            if head.isIndefinite { throw WalDecoder.indefiniteString(at: start) }
            try skip(Int(exactly: head.argument) ?? .max)
        case CBOR.array, CBOR.map:
            if depth >= CBOR.maximumDepth { throw WalDecoder.tooDeep(at: start) }
            let width = head.major == CBOR.map ? 2 : 1
            if head.isIndefinite {
                while peek() != CBOR.end { for _ in 0..<width { try skipValue(depth: depth + 1) } }
                try skip(1)
            } else {
                // Each value takes a byte, so a count beyond what is left is refused before it is worked off.
                guard head.argument <= UInt64(remaining / width) else { throw countTooLarge(head.argument, at: start) }
                for _ in 0..<head.argument * UInt64(width) { try skipValue(depth: depth + 1) }
            }
        default:
            if head.isIndefinite {
                throw WalDecoder.malformed("the end of a container where a value was due", at: start)
            }
        }
    }

    // MARK: Heads

    @inlinable @inline(__always) mutating func head() throws(WalError) -> CBORHead {
        let initial = try read(UInt8.self)
        let info = initial & 0x1F
        if info < 24 { return CBORHead(initial: initial, argument: UInt64(info)) }
        return try wideHead(initial)
    }

    @inlinable mutating func wideHead(_ initial: UInt8) throws(WalError) -> CBORHead {
        let argument: UInt64
        switch initial & 0x1F {
        case 24: argument = UInt64(try read(UInt8.self))
        case 25: argument = UInt64(try read(UInt16.self).byteSwapped)
        case 26: argument = UInt64(try read(UInt32.self).byteSwapped)
        case 27: argument = try read(UInt64.self).byteSwapped
        case 31: argument = 0
        default: throw WalDecoder.malformed("a reserved length of a number", at: offset &- 1)
        }
        return CBORHead(initial: initial, argument: argument)
    }

    /// The length of a string of the given major type, which is not yet checked against what is left.
    @inlinable @inline(__always)
    mutating func length(_ major: UInt8, _ wanted: StaticString) throws(WalError) -> Int {
        guard let initial = peek(), initial & 0xE0 == major else { throw mismatch(wanted) }
        let head = try head()
        if head.isIndefinite { throw WalDecoder.indefiniteString(at: offset &- 1) }
        // The reads behind refuse Int.max, for nothing is that long.
        return Int(truncatingIfNeeded: Swift.min(head.argument, UInt64(Int.max)))
    }

    @inlinable @inline(__always) mutating func integer<T: FixedWidthInteger>() throws(WalError) -> T {
        guard let initial = peek(), initial & 0xE0 <= CBOR.negative else { return try bignum() }
        let start = offset
        let head = try head()
        if head.isIndefinite { throw WalDecoder.malformed("an integer without a value", at: start) }
        if head.major == CBOR.unsigned {
            if let value = T(exactly: head.argument) { return value }
        } else if T.isSigned {
            if let value = T(exactly: Int128(-1) - Int128(head.argument)) { return value }
        }
        throw WalDecoder.integerOutOfRange(T.self, at: start)
    }

    @inlinable @inline(never) mutating func bignum<T: FixedWidthInteger>() throws(WalError) -> T {
        let start = offset
        guard let initial = peek(), initial & 0xE0 == CBOR.tag else { throw mismatch("an integer") }
        let (isNegative, magnitude) = try bignumParts()
        if isNegative {
            // ~n is -1 - n; it needs one bit more than n, which only the widest magnitudes lack.
            if let value = Int128(exactly: magnitude), let exact = T(exactly: ~value) { return exact }
        } else if let exact = T(exactly: magnitude) {
            return exact
        }
        throw WalDecoder.integerOutOfRange(T.self, at: start)
    }

    /// A bignum's sign and the number behind its tag: the value is `magnitude`, or `-1 - magnitude` where it is negative.
    @usableFromInline mutating func bignumParts() throws(WalError) -> (isNegative: Bool, magnitude: UInt128) {
        let start = offset
        let tag = try head()
        guard tag.major == CBOR.tag, !tag.isIndefinite,
            tag.argument == CBOR.positiveBignum || tag.argument == CBOR.negativeBignum
        else { throw WalDecoder.malformed("expected an integer", at: start) }
        let bytes = try bytes()
        guard bytes.drop(while: { $0 == 0 }).count <= 16 else {
            throw WalDecoder.malformed("an integer of more than 128 bits", at: start)
        }
        var magnitude: UInt128 = 0
        for byte in bytes { magnitude = magnitude << 8 | UInt128(byte) }
        return (tag.argument == CBOR.negativeBignum, magnitude)
    }

    /// Reads a tag that must be this one.
    mutating func expectTag(_ tag: UInt64, _ wanted: StaticString) throws(WalError) {
        let start = offset
        guard let initial = peek(), initial & 0xE0 == CBOR.tag else { throw mismatch(wanted) }
        let head = try head()
        guard !head.isIndefinite, head.argument == tag else {
            throw WalDecoder.malformed("expected \(wanted), tag \(tag), found tag \(head.argument)", at: start)
        }
    }

    @inlinable @inline(__always)
    mutating func beginContainer(
        _ major: UInt8, _ wanted: StaticString, atLeast width: Int, checksDepth: Bool = true
    ) throws(WalError) -> WalBinaryFields {
        let start = offset
        guard let initial = peek(), initial & 0xE0 == major else { throw mismatch(wanted) }
        // A type that holds itself would follow a hostile record down until the stack ends; one look at the whole bounds that.
        if checksDepth, start == 0, remaining > WalDecoder.shallow { try checkDepth() }
        if initial & 0x1F == 31 {
            try skip(1)
            return WalBinaryFields(first: position, total: -1)
        }
        let head = try head()
        guard head.argument <= UInt64(remaining / width) else { throw countTooLarge(head.argument, at: start) }
        return WalBinaryFields(first: position, total: Int(truncatingIfNeeded: head.argument))
    }

    @inlinable mutating func beginEntries() throws(WalError) -> WalBinaryFields {
        try beginContainer(CBOR.map, "a map", atLeast: 2)
    }

    @usableFromInline @inline(never) mutating func checkDepth() throws(WalError) {
        let here = position
        try skipValue()
        position = here
    }

    // MARK: Finding fields

    @inlinable @inline(__always)
    func isNext(_ name: StaticString, in fields: borrowing WalBinaryFields) -> Bool {
        let count = name.utf8CodeUnitCount
        guard count < 24, name.hasPointerRepresentation, count < remaining,
            fields.total < 0 || fields.passed < fields.total,
            position.load(as: UInt8.self) == CBOR.text | UInt8(truncatingIfNeeded: count)
        else { return false }
        return WalBinaryFields.same(position + 1, name)
    }

    @inlinable @inline(never)
    mutating func fieldElsewhere<Value: WalBinaryValue>(
        _ name: StaticString, in fields: inout WalBinaryFields
    ) throws(WalError) -> Value {
        guard let back = try find(name, in: &fields) else {
            throw WalError(
                .decoding, "the record has no field \"\(name)\", before byte \(offset)", codingPath: ["\(name)"])
        }
        let value = try Value(from: &self)
        if let back { position = back }
        return value
    }

    @inlinable @inline(never)
    mutating func fieldElsewhereIfPresent<Value: WalBinaryValue>(
        _ name: StaticString, in fields: inout WalBinaryFields
    ) throws(WalError) -> Value? {
        guard let back = try find(name, in: &fields) else { return nil }
        let value = try Value?(from: &self)
        if let back { position = back }
        return value
    }

    /// Moves to the value of a field that is not the next.
    ///
    /// - Returns: nil where there is none, and the cursor stays. Otherwise where to go on after the value has been read: nil
    ///   for right behind it.
    @usableFromInline @inline(never)
    mutating func find(
        _ name: StaticString, in fields: inout WalBinaryFields
    ) throws(WalError) -> UnsafeRawPointer?? {
        let (here, passed) = (position, fields.passed)
        // Forward first: a field of another build that is to be passed over lies between this one and the last.
        while try next(beforeEndOf: fields) {
            fields.passed &+= 1
            if try keyMatches(name) { return .some(nil) }
            try skipValue()
        }
        position = fields.first
        fields.passed = passed
        while position < here {
            if try keyMatches(name) { return .some(here) }
            try skipValue()
        }
        position = here
        return nil
    }

    private func next(beforeEndOf fields: borrowing WalBinaryFields) throws(WalError) -> Bool {
        fields.total >= 0 ? fields.passed < fields.total : peek() != CBOR.end
    }

    /// Passes over a key, and says whether it is this one.
    private mutating func keyMatches(_ name: StaticString) throws(WalError) -> Bool {
        guard let initial = peek(), initial & 0xE0 == CBOR.text, name.hasPointerRepresentation else {
            try skipValue()
            return false
        }
        let key = try readBuffer(count: try length(CBOR.text, "a key"))
        return key.count == name.utf8CodeUnitCount && WalBinaryFields.same(key.baseAddress, name)
    }

    // MARK: Errors

    @usableFromInline @inline(never) static func malformed(_ message: String, at offset: Int) -> WalError {
        WalError(.decoding, "\(message), at byte \(offset)", recordOffset: offset)
    }

    @usableFromInline @inline(never) func mismatch(_ wanted: StaticString) -> WalError {
        guard let initial = peek() else {
            return WalDecoder.malformed("the record ends where \(wanted) was due", at: offset)
        }
        return WalDecoder.malformed("expected \(wanted), found \(CBOR.describe(initial))", at: offset)
    }

    @usableFromInline @inline(never) static func indefiniteString(at offset: Int) -> WalError {
        malformed("a string of indefinite length, which this format does not have", at: offset)
    }

    @usableFromInline @inline(never) static func tooDeep(at offset: Int) -> WalError {
        malformed("more than \(CBOR.maximumDepth) arrays and maps within one another", at: offset)
    }

    @usableFromInline @inline(never) static func integerOutOfRange(_ type: Any.Type, at offset: Int) -> WalError {
        malformed("an integer that no \(type) can hold", at: offset)
    }

    @usableFromInline @inline(never) func countTooLarge(_ count: UInt64, at offset: Int) -> WalError {
        WalDecoder.malformed("\(count) entries in \(remaining) bytes", at: offset)
    }
}
