/// Where a hand-written decoder is within a map or an array.
///
/// It is made by ``WalDecoder/beginFields()``, ``WalDecoder/beginCase()`` and ``WalDecoder/beginArray()``, and is of no use
/// after the call of the codec that it was made in.
public struct WalBinaryFields: ~Copyable {
    /// The first key, for fields that come earlier than they are asked for.
    @usableFromInline let first: UnsafeRawPointer
    /// How many entries the map has, -1 where only its end says.
    @usableFromInline let total: Int
    /// How many of them are before the cursor.
    @usableFromInline var passed: Int
    /// The enum case's name and the count of the map round it.
    @usableFromInline var name: UnsafeRawBufferPointer
    @usableFromInline var outerTotal: Int

    @inlinable init(first: UnsafeRawPointer, total: Int) {
        self.first = first
        self.total = total
        passed = 0
        name = UnsafeRawBufferPointer(start: nil, count: 0)
        outerTotal = 0
    }

    /// How many elements an array has, where it says so at its start.
    @inlinable public var count: Int? { total < 0 ? nil : total }

    /// Whether the enum's case has this name.
    @inlinable @inline(__always) public func isCase(_ candidate: StaticString) -> Bool {
        candidate.hasPointerRepresentation && name.count == candidate.utf8CodeUnitCount
            && WalBinaryFields.same(name.baseAddress, candidate)
    }

    @inlinable @inline(__always)
    static func same(_ bytes: UnsafeRawPointer?, _ candidate: StaticString) -> Bool {
        guard let bytes else { return candidate.utf8CodeUnitCount == 0 }
        for index in 0..<candidate.utf8CodeUnitCount
        where bytes.load(fromByteOffset: index, as: UInt8.self) != candidate.utf8Start[index] {
            return false
        }
        return true
    }
}
