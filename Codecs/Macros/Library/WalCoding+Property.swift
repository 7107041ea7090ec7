#if Macros
public import WalBinary
public import WriteAheadLog

// What @WalRecord calls where a type's name may stand for an optional, as `typealias Note = String?` makes it. A macro sees the
// name alone, and nil must be left out as Codable leaves it out: the compiler, which knows, chooses the overload,
// and where both would do that for optionals.

extension WalEncoder {
    /// Writes a property whose type is known to be no optional only to the compiler.
    @inlinable @inline(__always)
    public mutating func property<Value: WalBinaryValue>(_ name: StaticString, _ value: borrowing Value) {
        field(name, value)
    }

    @inlinable @inline(__always)
    public mutating func property<Value: WalBinaryValue>(_ name: StaticString, _ value: Value?) {
        fieldIfPresent(name, value)
    }
}

extension WalDecoder {
    /// Reads a property whose type is known to be no optional only to the compiler.
    @_disfavoredOverload @inlinable @inline(__always)
    public mutating func property<Value: WalBinaryValue>(
        _ name: StaticString, in fields: inout WalBinaryFields
    ) throws(WalError) -> Value {
        try field(name, in: &fields)
    }

    @inlinable @inline(__always)
    public mutating func property<Value: WalBinaryValue>(
        _ name: StaticString, in fields: inout WalBinaryFields
    ) throws(WalError) -> Value? {
        try fieldIfPresent(name, in: &fields)
    }

    @_disfavoredOverload @inlinable @inline(__always)
    public mutating func property<Value: WalBinaryValue>(
        _ name: StaticString, aliases: @autoclosure () -> [StaticString],
        in fields: inout WalBinaryFields
    ) throws(WalError) -> Value {
        try field(name, aliases: aliases(), in: &fields)
    }

    @inlinable @inline(__always)
    public mutating func property<Value: WalBinaryValue>(
        _ name: StaticString, aliases: @autoclosure () -> [StaticString],
        in fields: inout WalBinaryFields
    ) throws(WalError) -> Value? {
        try fieldIfPresent(name, aliases: aliases(), in: &fields)
    }

    @_disfavoredOverload @inlinable @inline(__always)
    public mutating func property<Value: WalBinaryValue>(
        _ name: StaticString, aliases: @autoclosure () -> [StaticString],
        default value: @autoclosure () -> Value, in fields: inout WalBinaryFields
    ) throws(WalError) -> Value {
        try field(name, aliases: aliases(), default: value(), in: &fields)
    }

    /// An optional's nil is recorded as nothing, so that no default may stand for it.
    @inlinable @inline(__always)
    public mutating func property<Value: WalBinaryValue>(
        _ name: StaticString, aliases: @autoclosure () -> [StaticString],
        default: @autoclosure () -> Value?, in fields: inout WalBinaryFields
    ) throws(WalError) -> Value? {
        try fieldIfPresent(name, aliases: aliases(), in: &fields)
    }
}
#endif
