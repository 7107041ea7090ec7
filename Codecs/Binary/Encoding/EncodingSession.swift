internal import WriteAheadLog

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// One record's encoding, which encoders and containers share: one allocation, with room for the frames of most records.
final class EncodingSession: ManagedBuffer<EncodingState, EncodingFrame> {
    private static let room = 8

    static func make(output: UnsafeMutablePointer<WalEncoder>) -> EncodingSession {
        let made = create(minimumCapacity: room) { made in
            made.withUnsafeMutablePointerToElements { EncodingState(output: output, frames: $0, capacity: room) }
        }
        return unsafeDowncast(made, to: EncodingSession.self)
    }

    deinit { state.pointee.deallocateFrames() }

    /// Valid as long as the session is. As a variable of the class each access would pay for an exclusivity check.
    var state: UnsafeMutablePointer<EncodingState> {
        @inline(__always) get { withUnsafeMutablePointerToHeader { $0 } }
    }

    /// Encodes a record; what the encoder held stays, and where this throws nothing is added.
    static func encode<T: Encodable>(_ record: T, into encoder: inout WalEncoder) throws(WalError) {
        let start = encoder.count
        do {
            try withUnsafeMutablePointer(to: &encoder) { output in
                let session = EncodingSession.make(output: output)
                // From here on no frame is open, so that a container kept by the record can no longer reach the output.
                defer { session.state.pointee.depth = 0 }
                if session.encodeKnown(record) { return }
                try session.encode(record, key: -1)
                if let failure = session.state.pointee.failure { throw failure }
            }
        } catch {
            encoder.truncate(to: start)
            throw WalError(encoding: error)
        }
    }

    /// Encodes a value by its own `encode(to:)`, in a place of its own.
    func encode<T: Encodable>(_ value: T, key: Int) throws {
        let index = state.pointee.depth
        let id = try state.pointee.open(key: key, type: T.self)
        try value.encode(to: BinaryEncoder(session: self, index: index, id: id))
        if state.pointee.isOpen(index, id) { state.pointee.close(to: index) }
    }

    /// Writes a value whose form the format states, by its type's identity.
    ///
    /// - Returns: false where the value is to encode itself.
    func encodeKnown<T: Encodable>(_ value: T) -> Bool {
        let output = state.pointee.output
        if T.self == [UInt8].self {
            unsafeBitCast(value, to: [UInt8].self).withUnsafeBytes { output.pointee.value(bytes: $0) }
        } else if T.self == String.self {
            output.pointee.text(unsafeBitCast(value, to: String.self))
        } else if T.self == Int.self {
            output.pointee.integer(unsafeBitCast(value, to: Int.self))
        } else if T.self == Double.self {
            output.pointee.value(unsafeBitCast(value, to: Double.self))
        } else if T.self == Data.self {
            output.pointee.value(unsafeBitCast(value, to: Data.self))
        } else if T.self == UUID.self {
            output.pointee.value(unsafeBitCast(value, to: UUID.self))
        } else if T.self == Date.self {
            output.pointee.value(unsafeBitCast(value, to: Date.self))
        } else if T.self == UInt64.self {
            output.pointee.integer(unsafeBitCast(value, to: UInt64.self))
        } else if T.self == Int64.self {
            output.pointee.integer(unsafeBitCast(value, to: Int64.self))
        } else if T.self == UInt32.self {
            output.pointee.integer(unsafeBitCast(value, to: UInt32.self))
        } else if T.self == Int32.self {
            output.pointee.integer(unsafeBitCast(value, to: Int32.self))
        } else if T.self == UInt8.self {
            output.pointee.integer(unsafeBitCast(value, to: UInt8.self))
        } else if T.self == Bool.self {
            output.pointee.value(unsafeBitCast(value, to: Bool.self))
        } else if T.self == Float.self {
            output.pointee.value(unsafeBitCast(value, to: Float.self))
        } else if T.self == Decimal.self {
            output.pointee.value(unsafeBitCast(value, to: Decimal.self))
        } else if T.self == URL.self {
            output.pointee.value(unsafeBitCast(value, to: URL.self))
        } else if T.self == ContiguousArray<UInt8>.self {
            unsafeBitCast(value, to: ContiguousArray<UInt8>.self).withUnsafeBytes { output.pointee.value(bytes: $0) }
        } else {
            return false
        }
        return true
    }
}

extension WalError {
    /// What a record's `encode(to:)` threw.
    init(encoding error: any Error) {
        switch error {
        case let error as WalError: self = error
        case EncodingError.invalidValue(_, let context):
            self.init(
                .encoding, context.debugDescription, underlying: error,
                codingPath: context.codingPath.map(\.stringValue))
        default: self.init(.encoding, "the record could not be encoded", underlying: error)
        }
    }
}
