import Foundation
import Testing
import WalTesting
import WriteAheadLog

// The worked example of the article WritingACodec, word for word.

struct Reading: WalCodable, Equatable {
    var sensor: UInt32
    var celsius: Double
}

struct TemperatureCodec: WalCodec {
    /// How many bytes the temperature takes: the only thing in which the two versions differ.
    private let isWide: Bool

    init() { isWide = false }
    private init(isWide: Bool) { self.isWide = isWide }

    static var id: UInt32 { 0x9F3A_11C7 }
    var name: String { "temperature" }
    var parameters: [UInt8] { [isWide ? 1 : 2] }

    func encode(_ record: borrowing Reading, into encoder: inout WalEncoder) throws(WalError) {
        let hundredths = (record.celsius * 100).rounded()
        encoder.write(varint: UInt64(record.sensor))
        if isWide, let value = Int32(exactly: hundredths) {
            encoder.write(value)
        } else if !isWide, let value = Int16(exactly: hundredths) {
            encoder.write(value)
        } else {
            throw WalError(.encoding, "\(record.celsius) °C can't be stored; temperatures go from -327.68 to 327.67 °C")
        }
    }

    func decode(_ decoder: inout WalDecoder) throws(WalError) -> Reading {
        guard let sensor = UInt32(exactly: try decoder.readVarint()) else {
            throw WalError(.decoding, "a sensor's number of more than 32 bits")
        }
        let hundredths = isWide ? Int(try decoder.read(Int32.self)) : Int(try decoder.read(Int16.self))
        return Reading(sensor: sensor, celsius: Double(hundredths) / 100)
    }

    func reader(id: UInt32, parameters: [UInt8]) throws(WalError) -> (any WalCodec<Reading>)? {
        guard id == Self.id else { return nil }
        switch parameters {
        case [1]: return TemperatureCodec(isWide: true)
        case [2]: return TemperatureCodec(isWide: false)
        default: return nil
        }
    }
}

extension AnyWalCodec where Record == Reading {
    static func temperature() -> Self { Self(TemperatureCodec()) }
}

@Suite struct CodecGuideTests {
    @Test func `the codec keeps its promises`() throws {
        try CodecConformance.check(
            .temperature(), samples: [.init(sensor: 1, celsius: 21.5), .init(sensor: .max, celsius: -40)])
    }

    @Test func `a temperature that does not fit is an error, and a segment of the first version is read`() throws {
        let codec = TemperatureCodec()
        var encoder = WalEncoder()
        #expect(throws: WalError.self) { try codec.encode(Reading(sensor: 1, celsius: 400), into: &encoder) }
        #expect(throws: WalError.self) { try codec.encode(Reading(sensor: 1, celsius: .nan), into: &encoder) }
        let first = try #require(try codec.reader(id: TemperatureCodec.id, parameters: [1]))
        encoder.reset()
        try first.encode(Reading(sensor: 1, celsius: 400), into: &encoder)
        #expect(encoder.count == 5)
        #expect(try codec.reader(id: TemperatureCodec.id, parameters: [3]) == nil)
    }

    @Test func `the article shows the code that is tested here`() throws {
        let here = URL(fileURLWithPath: #filePath)
        let root = here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let article = try String(
            contentsOf: root.appendingPathComponent("Sources/WriteAheadLog/WriteAheadLog.docc/WritingACodec.md"),
            encoding: .utf8)
        let source = try String(contentsOf: here, encoding: .utf8)
        let start = try #require(source.range(of: "struct Reading: WalCodable")).lowerBound
        let end = try #require(source.range(of: "\n@Suite struct CodecGuideTests")).lowerBound
        #expect(article.contains(source[start..<end]))
    }
}
