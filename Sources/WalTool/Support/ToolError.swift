package import WriteAheadLog

/// Why a command ends early: one line for people, and a status for scripts.
package struct ToolError: Error, Sendable {
    package var status: ToolStatus
    /// Nil where nothing is to be said.
    package var message: String?

    package init(_ status: ToolStatus, _ message: String?) {
        self.status = status
        self.message = message
    }

    /// Not a word: the reader has gone.
    static var brokenPipe: ToolError { ToolError(.brokenPipe, nil) }

    package init(_ error: WalError) { self.init(Self.status(of: error), error.line) }

    package init(any error: any Error) {
        switch error {
        case let error as ToolError: self = error
        case let error as WalError: self.init(error)
        default: self.init(.failed, "\(error)")
        }
    }

    private static func status(of error: WalError) -> ToolStatus {
        switch error.code {
        case .corrupt, .missing, .decoding, .notAuthentic: .damaged
        case .notFound, .notALog, .permissionDenied, .unsupportedFormat, .unknownCodec, .recordTypeMismatch: .unusable
        case .unknownKey, .wrongKey: .unusable
        case .encoding, .recordTooLarge, .purged, .outOfRange, .positionLost: .badInput
        case .invalidArgument: .usage
        case .alreadyOpen: .alreadyOpen
        default: .failed
        }
    }
}

extension WalError {
    /// The message and the place, without what only programmers want.
    var line: String {
        let place = placeText
        return place.isEmpty ? message : "\(message) [\(place)]"
    }

    /// "partition 0, segment 1, offset 12288, LSN 1", as far as it is known.
    var placeText: String {
        var places: [String] = []
        if let partition { places.append("partition \(partition)") }
        if let segment { places.append("segment \(segment)") }
        if let offset { places.append("offset \(offset)") }
        if let lsn { places.append("LSN \(lsn)") }
        return places.joined(separator: ", ")
    }
}
