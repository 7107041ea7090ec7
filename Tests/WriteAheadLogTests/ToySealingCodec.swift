import Foundation
import Testing
import WriteAheadLog

/// Seals without cryptography: XOR with bytes made of the segment's secret and the frame's number, and a checksum over what is
/// to be authenticated. It notes what it sealed, so that tests see whether a number came twice.
struct ToySealingCodec: WalSealingCodec {
    static var id: UInt32 { 0x8000_0100 }
    var name: String { "toy" }
    var parameters: [UInt8] { [UInt8](repeating: 0, count: 8) }
    var inner: AnyWalCodec<Payload> { .bytes() }
    var sealOverhead = 12
    let log = Log()

    final class Log: Sendable {
        struct Sealed {
            var secret: UInt64
            var number: UInt64
            var lsn: UInt64
        }
        private let state = Locked<(sealed: [Sealed], secrets: [UInt64])>(([], []))
        var sealed: [Sealed] { state.withLock { $0.sealed } }
        /// One for each segment, in order.
        var secrets: [UInt64] { state.withLock { $0.secrets } }
        func note(_ sealed: Sealed) { state.withLock { $0.sealed.append(sealed) } }
        func note(secret: UInt64) { state.withLock { $0.secrets.append(secret) } }
    }

    func makeSealer(header: ([UInt8]) -> [UInt8]) throws(WalError) -> any WalFrameSealer {
        let secret = UInt64.random(in: .min ... .max)
        let front = header(withUnsafeBytes(of: secret.littleEndian) { Array($0) })
        log.note(secret: secret)
        return Frames(secret: secret, header: front, log: log)
    }

    func makeOpener(parameters: [UInt8], header: [UInt8]) throws(WalError) -> any WalFrameOpener {
        let secret = parameters.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self).littleEndian }
        return Frames(secret: secret, header: header, log: log)
    }

    func reader(id: UInt32, parameters: [UInt8]) throws(WalError) -> (any WalCodec<Payload>)? {
        id == Self.id && parameters.count == 8 ? self : nil
    }

    private final class Frames: WalFrameSealer, WalFrameOpener {
        private let secret: UInt64
        private let header: UInt32
        private let log: Log
        private let next = Locked<UInt64>(0)

        init(secret: UInt64, header: [UInt8], log: Log) {
            (self.secret, self.log) = (secret, log)
            self.header = header.withUnsafeBytes { crc32c($0) }
        }

        private func turned(_ bytes: UnsafeRawBufferPointer, _ number: UInt64) -> [UInt8] {
            var state = secret &+ number &* 0x9E37_79B9_7F4A_7C15
            return bytes.map { byte in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return byte ^ UInt8(truncatingIfNeeded: state >> 56)
            }
        }

        private func sum(_ plain: UnsafeRawBufferPointer, _ frame: WalSealedFrame, _ number: UInt64) -> UInt32 {
            var all = Array(plain)
            frame.withUnsafeBytes { all += Array($0) }
            all.append(integer: header)
            all.append(integer: number)
            return all.crc32c(0..<all.count)
        }

        func seal(
            _ plain: UnsafeRawBufferPointer, _ frame: WalSealedFrame, into encoder: inout WalEncoder
        ) throws(WalError) {
            let number = next.withLock { next in
                defer { next += 1 }
                return next
            }
            log.note(Log.Sealed(secret: secret, number: number, lsn: frame.lsn.rawValue))
            encoder.write(number)
            encoder.write(bytes: turned(plain, number))
            encoder.write(sum(plain, frame, number))
        }

        func open(
            _ sealed: UnsafeRawBufferPointer, _ frame: WalSealedFrame, into encoder: inout WalEncoder
        ) throws(WalError) {
            var decoder = WalDecoder(unsafeBytes: sealed)
            let number: UInt64 = try decoder.read()
            let plain = turned(try decoder.readBuffer(count: max(decoder.remaining - 4, 0)), number)
            guard plain.withUnsafeBytes({ sum($0, frame, number) }) == (try decoder.read(UInt32.self)) else {
                throw WalError(.notAuthentic, "not what was sealed")
            }
            encoder.write(bytes: plain)
        }
    }
}

/// Makes the checksum of a frame right again after a test has changed it.
func reseal(_ bytes: inout [UInt8], _ frame: Range<Int>, _ salt: UInt64) {
    let (length, word) = bytes.withUnsafeBytes {
        (
            $0.loadUnaligned(fromByteOffset: frame.lowerBound, as: UInt32.self),
            $0.loadUnaligned(fromByteOffset: frame.lowerBound + 8, as: UInt64.self)
        )
    }
    let payload = bytes.withUnsafeBytes {
        payloadChecksum(
            UnsafeRawBufferPointer(rebasing: $0[(frame.lowerBound + 16)..<(frame.lowerBound + Int(length))]))
    }
    bytes.store(frameChecksum(payload: payload, length: length, word: word, salt: salt), at: frame.lowerBound + 4)
}

/// Expects that no file below the directory holds the bytes.
func expectNowhere(_ bytes: [UInt8], in path: String, _ location: SourceLocation = #_sourceLocation) throws {
    for (name, content) in try snapshot(path) {
        #expect(Data(content).range(of: Data(bytes)) == nil, "it stands in \(name)", sourceLocation: location)
    }
}

/// Runs what blocks on a thread of its own.
func onThread(_ body: @escaping () throws -> Void) async throws {
    nonisolated(unsafe) let body = body
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        Thread { continuation.resume(with: Result(catching: body)) }.start()
    }
}
