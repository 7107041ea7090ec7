import WalBinary
import WriteAheadLog

/// What happens to the store: this is all that is ever written.
enum Change: Codable, WalCodable, Equatable {
    case put(key: String, value: String)
    case delete(key: String)

    static var walTypeName: String { "example.KeyValueChange" }
}

/// A durable dictionary: memory holds the state, the log every change that led to it.
///
/// A change is applied only once it is durable, so that nobody reads what a crash could take back. The actor is free while the
/// disk works: changes that come meanwhile share the next sync.
actor KeyValueStore {
    private let wal: Wal<Change>
    private let changes: Wal<Change>.Partition
    private var values: [String: String] = [:]
    private var applied = LSN.none

    /// Opens the store and replays its log.
    init(at path: String) async throws {
        wal = try await Wal<Change>.open(at: path, configuration: .init(codec: .binary()))
        changes = try wal.partition(0)
        var cursor = try changes.entries().makeCursor()
        while let entry = try cursor.next() { apply(entry.record, at: entry.lsn) }
    }

    var count: Int { values.count }

    func value(for key: String) -> String? { values[key] }

    func set(_ value: String, for key: String) async throws { try await commit(.put(key: key, value: value)) }

    func remove(_ key: String) async throws { try await commit(.delete(key: key)) }

    func close() async throws { try await wal.close() }

    private func commit(_ change: Change) async throws {
        try await changes.append(change, durability: .synced)
        // Others may have become durable while this one waited: apply them all, in the order of the log.
        var cursor = try changes.entries(from: .after(applied), upTo: .durable).makeCursor()
        while let entry = try cursor.next() { apply(entry.record, at: entry.lsn) }
    }

    private func apply(_ change: Change, at lsn: LSN) {
        guard lsn > applied else { return }
        switch change {
        case .put(let key, let value): values[key] = value
        case .delete(let key): values[key] = nil
        }
        applied = lsn
    }
}
