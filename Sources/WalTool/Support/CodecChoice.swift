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

    /// - Parameter directory: the log's. Where it holds dictionaries for zstd, the newest is taken.
    /// - Throws: where this build has no zstd, and for a damaged dictionary.
    package func codec(in directory: String? = nil) throws(ToolError) -> AnyWalCodec<JSONValue> {
        switch self {
        case .binary: return .binary()
        case .json: return .json()
        case .zstd, .zstdJSON:
            #if Zstd
            let inner: AnyWalCodec<JSONValue> = self == .zstd ? .binary() : .json()
            return .zstd(inner, dictionaries: try Self.dictionaries(in: directory))
            #else
            throw ToolError(
                .usage, "this walctl was built without zstd; build it with the trait Zstd, or choose another --codec")
            #endif
        }
    }

    /// All that this build has.
    package static func available(in directory: String? = nil) throws(ToolError) -> [AnyWalCodec<JSONValue>] {
        #if Zstd
        let dictionaries = try dictionaries(in: directory)
        return [
            .binary(), .json(), .zstd(.binary(), dictionaries: dictionaries),
            .zstd(.json(), dictionaries: dictionaries),
        ]
        #else
        return [.binary(), .json()]
        #endif
    }

    #if Zstd
    /// Where an app that follows the documentation keeps them; nil where there are none.
    private static func dictionaries(in directory: String?) throws(ToolError) -> ZstdDictionaries? {
        guard let directory else { return nil }
        do throws(WalError) {
            return try ZstdDictionaries(at: directory + "/dictionaries", create: false, storage: PosixStorage())
        } catch {
            guard error.code == .notFound else { throw ToolError(error) }
            return nil
        }
    }
    #endif

    /// What reads the records of a segment; nil where they are of another type, or of a codec that this build has not.
    static func reader(
        for header: SegmentHeader, among codecs: [AnyWalCodec<JSONValue>]
    ) -> (any WalCodec<JSONValue>)? {
        guard header.typeName == JSONValue.walTypeName else { return nil }
        for candidate in codecs {
            // A codec that can't make sense of the parameters can't read the records.
            guard let reader = try? candidate.base.reader(id: header.codecID, parameters: header.codecParameters) else {
                continue
            }
            return reader
        }
        return nil
    }
}
