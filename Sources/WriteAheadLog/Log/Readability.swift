/// Which segments of a log the configuration's codecs can read, found when the log is opened.
///
/// A segment that can't be read, because its codec, key or dictionary is gone, keeps nobody from reading, appending to or purging
/// the rest (promise 12). A log of which nothing can be read is most likely opened with the wrong configuration.
struct Readability {
    private struct Coding: Hashable {
        let codecID: UInt32
        let parameters: [UInt8]
    }

    private var readable = 0
    private var firstError: WalError?

    /// Looks at a partition's segments; returns how many can't be read and what the newest of them lacks.
    mutating func note<Record>(
        _ segments: [Segment], _ codecs: CodecTable<Record>
    ) -> (count: Int, error: WalError)? {
        var known: [Coding: WalError?] = [:]
        var last: (coding: Coding, error: WalError?)?
        var unreadable: (count: Int, error: WalError)?
        for segment in segments {
            let coding = Coding(codecID: segment.header.codecID, parameters: segment.header.codecParameters)
            let error: WalError?
            if let last, last.coding == coding {
                error = last.error
            } else if let found = known[coding] {
                error = found
            } else {
                error = Self.error(segment.header, codecs)
                known[coding] = .some(error)
            }
            last = (coding, error)
            if let error {
                unreadable = ((unreadable?.count ?? 0) + 1, error)
                firstError = firstError ?? error
            } else {
                readable += 1
            }
        }
        return unreadable
    }

    private static func error<Record>(_ header: SegmentHeader, _ codecs: CodecTable<Record>) -> WalError? {
        do throws(WalError) {
            // Bytes can be read without the codec that they belong to.
            if try codecs.knownReader(for: header) == nil, Record.self != Payload.self {
                _ = try codecs.reader(for: header)
            }
            return nil
        } catch {
            return error
        }
    }

    /// - Throws: where there is something and nothing of it can be read, unless damage is tolerated.
    func check(_ settings: LogSettings) throws(WalError) {
        guard readable == 0, settings.onDamage == .throw, let error = firstError else { return }
        throw error.adding(
            "; no segment of the log can be read with the codecs given. Open with `onDamage: .quarantine` to append and purge all the same"
        )
    }
}

extension WalError {
    /// What is missing to read a segment is not in the configuration; the segment itself may be whole.
    var isAboutCodec: Bool { code == .unknownCodec || code == .unknownKey || code == .wrongKey }
}
