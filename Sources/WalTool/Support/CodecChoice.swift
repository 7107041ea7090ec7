internal import WalBinary
package import WalJSON
package import WriteAheadLog

#if Zstd
internal import WalZstd
#endif

/// The codecs that `--codec` names.
package enum CodecChoice: String, CaseIterable, Sendable {
    case binary
    case json
    case zstd
    case zstdJSON = "zstd-json"

    /// - Throws: where this build has no zstd.
    package func codec() throws(ToolError) -> AnyWalCodec<JSONValue> {
        switch self {
        case .binary: return .binary()
        case .json: return .json()
        case .zstd, .zstdJSON:
            #if Zstd
            return .zstd(self == .zstd ? .binary() : .json())
            #else
            throw ToolError(
                .usage, "this walctl was built without zstd; build it with the trait Zstd, or choose another --codec")
            #endif
        }
    }

    /// All that this build has.
    package static var available: [AnyWalCodec<JSONValue>] {
        #if Zstd
        [.binary(), .json(), .zstd(.binary()), .zstd(.json())]
        #else
        [.binary(), .json()]
        #endif
    }

    /// What reads the records of a segment; nil where they are of another type, or of a codec that this build has not.
    static func reader(for header: SegmentHeader) -> (any WalCodec<JSONValue>)? {
        guard header.typeName == JSONValue.walTypeName else { return nil }
        for candidate in available {
            // A codec that can't make sense of the parameters can't read the records.
            guard let reader = try? candidate.base.reader(id: header.codecID, parameters: header.codecParameters) else {
                continue
            }
            return reader
        }
        return nil
    }
}
