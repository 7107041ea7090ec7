internal import WriteAheadLog

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// One record's decoding, which decoders and containers share: one allocation, with room for the frames of most records.
final class DecodingSession: ManagedBuffer<DecodingState, DecodingFrame> {
    private static let room = 8

    static func make(input: UnsafeMutablePointer<WalDecoder>) -> DecodingSession {
        let made = create(minimumCapacity: room) { made in
            made.withUnsafeMutablePointerToElements { DecodingState(input: input, frames: $0, capacity: room) }
        }
        return unsafeDowncast(made, to: DecodingSession.self)
    }

    deinit { state.pointee.deallocateFrames() }

    /// Valid as long as the session is. As a variable of the class each access would pay for an exclusivity check.
    var state: UnsafeMutablePointer<DecodingState> {
        @inline(__always) get { withUnsafeMutablePointerToHeader { $0 } }
    }
    /// Where the record begins.
    var start: UnsafeRawPointer { state.pointee.start }

    /// Decodes a record, which must be all that is left.
    static func decode<T: Decodable>(_ type: T.Type, from decoder: inout WalDecoder) throws(WalError) -> T {
        // The places in it are kept in 32 bits.
        guard decoder.offset + decoder.remaining <= Int(UInt32.max) else {
            throw WalError(.decoding, "a record of \(decoder.remaining) bytes, over 4 GiB")
        }
        do {
            return try withUnsafeMutablePointer(to: &decoder) { input in
                let session = DecodingSession.make(input: input)
                defer { session.state.pointee.input = nil }
                let start = input.pointee.position
                let record = try session.decode(type, at: start, depth: 0)
                input.pointee.position = try session.end(of: start, depth: -1)
                try input.pointee.expectEnd()
                return record
            }
        } catch {
            throw WalError(decoding: error)
        }
    }

    /// Decodes the value at a place, by its stated form or by its own `init(from:)`. Each look at another type would cost as much
    /// as reading a small value, so that they come in the order of how common they are.
    func decode<T: Decodable>(_ type: T.Type, at value: UnsafeRawPointer, depth: Int) throws -> T {
        @inline(__always) func read<V: WalBinaryValue>(_: V.Type) throws -> T {
            unsafeBitCast(try scalar(V.self, at: value, depth: depth), to: T.self)
        }
        if T.self == [UInt8].self {
            if try !isArray(value) { return try read([UInt8].self) }
        } else if T.self == String.self {
            return try read(String.self)
        } else if T.self == Int.self {
            return try read(Int.self)
        } else if T.self == Double.self {
            return try read(Double.self)
        } else if T.self == Data.self {
            if try !isArray(value) { return try read(Data.self) }
        } else if T.self == UUID.self {
            return try read(UUID.self)
        } else if T.self == Date.self {
            return try read(Date.self)
        } else if T.self == UInt64.self {
            return try read(UInt64.self)
        } else if T.self == Int64.self {
            return try read(Int64.self)
        } else if T.self == UInt32.self {
            return try read(UInt32.self)
        } else if T.self == Int32.self {
            return try read(Int32.self)
        } else if T.self == UInt8.self {
            return try read(UInt8.self)
        } else if T.self == Bool.self {
            return try read(Bool.self)
        } else if T.self == Float.self {
            return try read(Float.self)
        } else if T.self == Decimal.self {
            return try read(Decimal.self)
        } else if T.self == URL.self {
            return try read(URL.self)
        } else if T.self == ContiguousArray<UInt8>.self, try !isArray(value) {
            return unsafeBitCast(ContiguousArray(try scalar([UInt8].self, at: value, depth: depth)), to: T.self)
        }
        return try T(from: BinaryDecoder(session: self, value: value, depth: depth, owner: T.self))
    }

    /// Reads a value whose form the format states.
    @inline(__always)
    func scalar<T: WalBinaryValue>(_: T.Type, at value: UnsafeRawPointer, depth: Int) throws -> T {
        do throws(WalError) {
            let input = try state.pointee.source()
            input.pointee.position = value
            return try T(from: &input.pointee)
        } catch {
            throw failure(error, T.self, at: value, depth: depth)
        }
    }

    func end(of value: UnsafeRawPointer, depth: Int) throws -> UnsafeRawPointer {
        do throws(WalError) {
            return try state.pointee.end(of: value, depth: depth)
        } catch {
            throw corrupt(error, depth: depth + 1)
        }
    }

    func isNull(_ value: UnsafeRawPointer) throws -> Bool {
        let input = try state.pointee.source()
        input.pointee.position = value
        return input.pointee.peek() == CBOR.null
    }

    /// Opens the map or array at a place.
    func open(_ value: UnsafeRawPointer, depth: Int, isMap: Bool) throws -> ContainerHead {
        do throws(WalError) {
            return try state.pointee.open(value, depth: depth, isMap: isMap)
        } catch {
            throw failure(error, isMap ? [String: Any].self : [Any].self, at: value, depth: depth)
        }
    }

    /// A type that hands its bytes to the encoder itself writes them one by one.
    private func isArray(_ value: UnsafeRawPointer) throws -> Bool {
        let input = try state.pointee.source()
        input.pointee.position = value
        return input.pointee.peek().map { $0 & 0xE0 == CBOR.array } ?? false
    }

    // MARK: Errors

    func path(_ depth: Int) -> [any CodingKey] { state.pointee.path(depth) }

    func corrupt(_ error: WalError, depth: Int) -> any Error {
        DecodingError.dataCorrupted(
            .init(codingPath: path(depth), debugDescription: error.message, underlyingError: error))
    }

    @inline(never)
    func failure(_ error: WalError, _ wanted: Any.Type, at value: UnsafeRawPointer, depth: Int) -> any Error {
        guard let input = state.pointee.input else { return error }
        let context = DecodingError.Context(
            codingPath: path(depth), debugDescription: error.message, underlyingError: error)
        input.pointee.position = value
        guard let initial = input.pointee.peek() else { return DecodingError.dataCorrupted(context) }
        if initial == CBOR.null { return DecodingError.valueNotFound(wanted, context) }
        let major = initial & 0xE0
        let fits =
            switch wanted {
            case is any FixedWidthInteger.Type: major <= CBOR.negative || major == CBOR.tag
            case is Bool.Type, is any BinaryFloatingPoint.Type: false
            case is String.Type: major == CBOR.text
            case is [UInt8].Type: major == CBOR.bytes
            case is [Any].Type: major == CBOR.array
            case is [String: Any].Type: major == CBOR.map
            default: true
            }
        // A float of the right width can still be cut short or out of range.
        if wanted is any BinaryFloatingPoint.Type, initial == CBOR.float32 || initial == CBOR.float64 {
            return DecodingError.dataCorrupted(context)
        }
        return fits ? DecodingError.dataCorrupted(context) : DecodingError.typeMismatch(wanted, context)
    }
}

extension WalError {
    /// What a record's `init(from:)` threw.
    init(decoding error: any Error) {
        switch error {
        case let error as WalError: self = error
        case let error as DecodingError:
            switch error {
            case .keyNotFound(let key, let context):
                self.init(context, error, "the record has no field \"\(key.stringValue)\"", key)
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                self.init(context, error, context.debugDescription, nil)
            @unknown default: self.init(.decoding, "the record could not be decoded", underlying: error)
            }
        default: self.init(.decoding, "the record could not be decoded", underlying: error)
        }
    }

    private init(_ context: DecodingError.Context, _ error: DecodingError, _ message: String, _ key: (any CodingKey)?) {
        let path = context.codingPath.map(\.stringValue) + (key.map { [$0.stringValue] } ?? [])
        self.init(.decoding, message, underlying: error, codingPath: path)
    }
}
