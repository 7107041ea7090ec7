import CWalShims
import Testing

@testable import WriteAheadLog

@Suite("Checksums are the same whichever way they are computed")
struct ChecksumTests {
    /// Bytes that begin at every alignment, of every length up to beyond two rounds of the three-stream loop.
    @Test("of every length, at every alignment")
    func lengths() {
        let bytes = (0..<2200).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 3) }
        bytes.withUnsafeBytes { buffer in
            let base = buffer.baseAddress!
            for length in 0...2100 {
                let start = base + length % 8
                let portable = wal_crc32c_portable(0, start, length)
                #expect(wal_crc32c(0, start, length) == portable)
                let padded =
                    Array(buffer[(length % 8)..<(length % 8 + length)]) + [UInt8](repeating: 0, count: -length & 7)
                let sum = padded.withUnsafeBytes { wal_crc32c_portable(0, $0.baseAddress, padded.count) }
                #expect(wal_crc32c_padded(0, start, length) == sum)
                var tail: [UInt8] = []
                tail.append(integer: UInt64(length))
                tail.append(integer: UInt64(0xFEED_0123_4567_89AB))
                let whole = tail.withUnsafeBytes { wal_crc32c_portable(sum, $0.baseAddress, 16) }
                #expect(wal_crc32c_2(sum, UInt64(length), 0xFEED_0123_4567_89AB) == whole)
                let frame = padded.withUnsafeBytes {
                    wal_crc32c_frame($0.baseAddress, padded.count / 8, UInt64(length), 0xFEED_0123_4567_89AB)
                }
                #expect(frame == whole)
            }
        }
    }

    @Test("of the published examples: RFC 3720, appendix B.4")
    func examples() {
        #expect(Array("123456789".utf8).crc32c(0..<9) == 0xE306_9283)
        #expect([UInt8](repeating: 0, count: 32).crc32c(0..<32) == 0x8A91_36AA)
        #expect([UInt8](repeating: 0xFF, count: 32).crc32c(0..<32) == 0x62A8_AB43)
        #expect((0..<32).map { UInt8($0) }.crc32c(0..<32) == 0x46DD_794E)
    }
}
