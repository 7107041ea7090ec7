import Testing
import WalTesting
import WriteAheadLog

/// Keeps all promises but the one named.
private struct BrokenCodec: WalCodec {
    enum Fault: CaseIterable { case truncates, leavesBytes, loses, longName, longParameters, readsAll, readsNothing }
    static var id: UInt32 { 0x8000_0002 }
    let fault: Fault
    var name: String { fault == .longName ? String(repeating: "n", count: 65) : "broken" }
    var parameters: [UInt8] { fault == .longParameters ? [UInt8](repeating: 0, count: 1_025) : [] }

    func encode(_ record: borrowing Payload, into encoder: inout WalEncoder) throws(WalError) {
        if fault == .truncates { encoder.reset() }
        encoder.write(bytes: record.bytes)
        if fault == .leavesBytes { encoder.write(0 as UInt8) }
    }

    func decode(_ decoder: inout WalDecoder) throws(WalError) -> Payload {
        let spare = fault == .leavesBytes ? 1 : 0
        let bytes = try decoder.readBytes(count: decoder.remaining - spare)
        return Payload(fault == .loses ? bytes.map { $0 & 0x7F } : bytes)
    }

    func reader(id: UInt32, parameters: [UInt8]) throws(WalError) -> (any WalCodec<Payload>)? {
        switch fault {
        case .readsAll: self
        case .readsNothing: nil
        default: id == Self.id && parameters == self.parameters ? self : nil
        }
    }

    var broken: CodecConformanceFailure.Promise {
        switch fault {
        case .truncates: .appends
        case .leavesBytes: .consumesExactly
        case .loses: .roundTrip
        case .longName, .longParameters: .identity
        case .readsAll: .refusesUnknown
        case .readsNothing: .readsItself
        }
    }
}

@Suite struct CodecConformanceTests {
    private static let samples = [Payload([]), Payload([1, 2, 255])]

    @Test func `bare bytes keep every promise`() throws {
        try CodecConformance.check(.bytes(), samples: Self.samples)
    }

    @Test(arguments: BrokenCodec.Fault.allCases)
    private func `a broken codec is caught`(fault: BrokenCodec.Fault) {
        let codec = BrokenCodec(fault: fault)
        let failure = #expect(throws: CodecConformanceFailure.self) {
            try CodecConformance.check(codec, samples: Self.samples)
        }
        #expect(failure?.promise == codec.broken)
    }
}
