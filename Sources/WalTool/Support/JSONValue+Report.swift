internal import WalJSON
internal import WriteAheadLog

/// Building reports.
extension JSONValue {
    init(_ value: some FixedWidthInteger) { self = .number(JSONNumber(value)) }
    init(_ value: LSN?) { self = value.map { JSONValue($0.rawValue) } ?? .null }
    init(_ value: PartitionID?) { self = value.map { JSONValue($0.rawValue) } ?? .null }
    init(_ value: String?) { self = value.map { .string($0) } ?? .null }
    init(_ value: UInt64?) { self = value.map { .number(JSONNumber($0)) } ?? .null }

    /// To the thousandth.
    init(_ value: Double) {
        self = JSONNumber((value * 1000).rounded() / 1000).map { .number($0) } ?? .null
    }

    init(_ error: WalError) {
        self = [
            "partition": JSONValue(error.partition), "segment": JSONValue(error.segment),
            "offset": JSONValue(error.offset), "lsn": JSONValue(error.lsn), "code": .string("\(error.code)"),
            "message": .string(error.message),
        ]
    }

    /// Seconds, to the microsecond.
    init(_ duration: Duration) {
        let seconds = Double(duration / .microseconds(1)) / 1e6
        self = JSONNumber((seconds * 1e6).rounded() / 1e6).map { .number($0) } ?? .null
    }
}

extension Duration {
    /// "1.234 s"
    var secondsText: String {
        let milliseconds = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
        let rest = String(milliseconds % 1000)
        return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - rest.utf8.count))\(rest) s"
    }
}

/// "1 record", "2 records".
func counted(_ count: some BinaryInteger, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
}
