public import WriteAheadLog

/// Reading what earlier builds wrote under other names, or did not write.
extension WalDecoder {
    /// Reads the value of a field by the first of its names that the record has.
    @inlinable @inline(__always)
    public mutating func field<Value: WalBinaryValue>(
        _ name: StaticString, aliases: @autoclosure () -> [StaticString], in fields: inout WalBinaryFields
    ) throws(WalError) -> Value {
        if _fastPath(isNext(name, in: fields)) { return try field(name, in: &fields) }
        return try field(try present(name, aliases(), in: &fields) ?? name, in: &fields)
    }

    /// Reads the value of a field by the first of its names that the record has, or takes the default where it has none.
    @inlinable @inline(__always)
    public mutating func field<Value: WalBinaryValue>(
        _ name: StaticString, aliases: @autoclosure () -> [StaticString], default value: @autoclosure () -> Value,
        in fields: inout WalBinaryFields
    ) throws(WalError) -> Value {
        if _fastPath(isNext(name, in: fields)) { return try field(name, in: &fields) }
        guard let found = try present(name, aliases(), in: &fields) else { return value() }
        return try field(found, in: &fields)
    }

    /// Reads the value of a field by the first of its names that the record has, or nil where it has none.
    @inlinable @inline(__always)
    public mutating func fieldIfPresent<Value: WalBinaryValue>(
        _ name: StaticString, aliases: @autoclosure () -> [StaticString], in fields: inout WalBinaryFields
    ) throws(WalError) -> Value? {
        if _fastPath(isNext(name, in: fields)) { return try fieldIfPresent(name, in: &fields) }
        guard let found = try present(name, aliases(), in: &fields) else { return nil }
        return try fieldIfPresent(found, in: &fields)
    }

    @usableFromInline @inline(never)
    mutating func present(
        _ name: StaticString, _ aliases: [StaticString], in fields: inout WalBinaryFields
    ) throws(WalError) -> StaticString? {
        if try hasField(name, in: &fields) { return name }
        for alias in aliases where try hasField(alias, in: &fields) { return alias }
        return nil
    }
}
