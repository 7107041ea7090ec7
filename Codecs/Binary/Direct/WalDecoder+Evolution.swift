public import WriteAheadLog

/// Fields that had other names, or were not there, in records of earlier builds.
extension WalDecoder {
    /// Reads the value of a field by its name of today or, where the record has none of that, by the first of its earlier names that
    /// it has.
    @inlinable @inline(__always)
    public mutating func field<Value: WalBinaryValue>(
        _ name: StaticString, aliases: @autoclosure () -> [StaticString], in fields: inout WalBinaryFields
    ) throws(WalError) -> Value {
        if _fastPath(isNext(name, in: fields)) { return try field(name, in: &fields) }
        let found = try self.name(name, or: aliases(), in: &fields)
        return try field(found, in: &fields)
    }

    /// The same with a value for records that have it under no name.
    @inlinable @inline(__always)
    public mutating func field<Value: WalBinaryValue>(
        _ name: StaticString, aliases: @autoclosure () -> [StaticString], default value: @autoclosure () -> Value,
        in fields: inout WalBinaryFields
    ) throws(WalError) -> Value {
        if _fastPath(isNext(name, in: fields)) { return try field(name, in: &fields) }
        let found = try self.name(name, or: aliases(), in: &fields)
        guard try hasField(found, in: &fields) else { return value() }
        return try field(found, in: &fields)
    }

    /// Reads the value of an optional field by its name of today or an earlier one; nil where it is missing or null.
    @inlinable @inline(__always)
    public mutating func fieldIfPresent<Value: WalBinaryValue>(
        _ name: StaticString, aliases: @autoclosure () -> [StaticString], in fields: inout WalBinaryFields
    ) throws(WalError) -> Value? {
        if _fastPath(isNext(name, in: fields)) { return try fieldIfPresent(name, in: &fields) }
        let found = try self.name(name, or: aliases(), in: &fields)
        return try fieldIfPresent(found, in: &fields)
    }

    /// The name that the record has; the first where it has none.
    @usableFromInline @inline(never)
    mutating func name(
        _ name: StaticString, or aliases: [StaticString], in fields: inout WalBinaryFields
    ) throws(WalError) -> StaticString {
        if try hasField(name, in: &fields) { return name }
        for alias in aliases where try hasField(alias, in: &fields) { return alias }
        return name
    }
}
