import WalBinary
import WriteAheadLog

/// The shapes of the README, from a package of its own.
enum Change: Codable, WalCodable, Equatable {
    case put(key: [UInt8], value: [UInt8])
    case delete(key: [UInt8])
}

let path = CommandLine.arguments.dropFirst().first ?? "consumer_data"
let wal = try await Wal<Change>.open(at: path, configuration: .init(codec: .binary(), truncate: true))
let changes = try wal.partition(1)
let receipt = try changes.append(.put(key: [1], value: [2]))
try await changes.append(.delete(key: [1]), durability: .synced)
try changes.append(contentsOf: [.delete(key: [3]), .delete(key: [4])])
try await wal.sync()
var cursor = try changes.entries(from: .after(receipt.position)).makeCursor()
var read: [Change] = []
while let entry = try cursor.next() { read.append(entry.record) }
guard read == [.delete(key: [1]), .delete(key: [3]), .delete(key: [4])] else {
    throw WalError(.corrupt, "read back \(read)")
}
try await wal.close()
print("consumer: ok")
