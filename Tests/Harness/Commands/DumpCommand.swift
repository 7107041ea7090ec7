import ArgumentParser
import Foundation
import WriteAheadLog

/// Prints what another program that reads the format must print too: `partition lsn hex`, a line for each record, in order.
struct DumpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump", abstract: "Prints each record as its partition, its LSN and its bytes in hexadecimal.")

    @Argument var directory: String

    func run() async throws {
        // The bytes as they are in the file, whatever the codec; a question mark for those that were compressed together.
        let wal = try await Wal<Payload>.openReadOnly(
            at: directory,
            configuration: .init(codec: .bytes(), readableCodecs: [AnyWalCodec(OpaqueBatches())]))
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for id in wal.partitionIDs {
            var cursor = try wal.partition(id).entries().makeCursor()
            while let (lsn, bytes) = try cursor.nextPayload() {
                text += Array("\(id) \(lsn) ".utf8)
                if bytes == OpaqueBatches.hidden {
                    text += [UInt8(ascii: "?"), 10]
                    continue
                }
                text.reserveCapacity(text.count + 2 * bytes.count + 1)
                for byte in bytes {
                    text.append(digits[Int(byte >> 4)])
                    text.append(digits[Int(byte & 15)])
                }
                text.append(10)
                if text.count > 1 << 20 { try flush(&text) }
            }
        }
        try flush(&text)
        try await wal.close()
    }

    private func flush(_ text: inout [UInt8]) throws {
        try FileHandle.standardOutput.write(contentsOf: text)
        text.removeAll(keepingCapacity: true)
    }
}
