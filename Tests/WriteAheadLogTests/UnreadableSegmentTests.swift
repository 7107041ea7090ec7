import Testing
import WriteAheadLog

/// A number, under a codec that needs a key to be read.
private struct Number: WalCodable, Equatable {
    var value: UInt64
    static var walTypeName: String { "Number" }
}

/// XORs with the key that its parameters name; reads with those keys that it was given.
private struct KeyedCodec: WalCodec {
    static var id: UInt32 { 0x8000_0077 }
    var name: String { "keyed" }
    var key: UInt8
    var others: [UInt8] = []
    var parameters: [UInt8] { [key] }

    func encode(_ record: borrowing Number, into encoder: inout WalEncoder) throws(WalError) {
        encoder.write(record.value ^ UInt64(key))
    }

    func decode(_ decoder: inout WalDecoder) throws(WalError) -> Number {
        Number(value: try decoder.read(UInt64.self) ^ UInt64(key))
    }

    func reader(id: UInt32, parameters: [UInt8]) throws(WalError) -> (any WalCodec<Number>)? {
        guard id == Self.id, let wanted = parameters.first else { return nil }
        guard wanted == key || others.contains(wanted) else {
            throw WalError(.unknownKey, "the segment needs key \(wanted)")
        }
        return KeyedCodec(key: wanted)
    }
}

private struct OtherCodec: WalCodec {
    static var id: UInt32 { 0x8000_0078 }
    var name: String { "other" }
    var parameters: [UInt8] { [] }
    func encode(_ record: borrowing Number, into encoder: inout WalEncoder) throws(WalError) {
        encoder.write(record.value)
    }
    func decode(_ decoder: inout WalDecoder) throws(WalError) -> Number {
        Number(value: try decoder.read(UInt64.self))
    }
}

@Suite struct `A segment that can't be read (promise 12)` {
    private typealias NumberWal = Wal<Number>

    private func configuration(
        _ codec: AnyWalCodec<Number>, readable: [AnyWalCodec<Number>] = [], onDamage: DamagePolicy = .throw,
        _ observer: WalObserver = WalObserver()
    ) -> NumberWal.Configuration {
        NumberWal.Configuration(
            segmentSize: 64 << 10, codec: codec, readableCodecs: readable, onDamage: onDamage, observer: observer)
    }

    /// Partition 1 has segments of key 1, then key 2; partition 2 one of key 1 alone; partition 3 one of key 2.
    private func makeLog(_ path: String) async throws {
        for (key, partitions) in [(1, [1, 2]), (2, [1, 3])] as [(UInt8, [UInt16])] {
            let codec = AnyWalCodec(KeyedCodec(key: key, others: [1, 2]))
            let wal = try await NumberWal.open(at: path, configuration: configuration(codec))
            for id in partitions {
                let partition = try wal.partition(PartitionID(rawValue: id))
                for k in 0..<10 as Range<UInt64> { try partition.append(Number(value: k)) }
            }
            try await wal.close()
        }
    }

    @Test(arguments: [false, true], [DamagePolicy.throw, .quarantine])
    func `the rest of the log opens, reads, appends and purges; reading the segment is the error`(
        isReadOnly: Bool, onDamage: DamagePolicy
    ) async throws {
        try await withTemporaryDirectory { path in
            try await makeLog(path)
            let events = EventLog()
            let configuration = configuration(
                AnyWalCodec(KeyedCodec(key: 2)), onDamage: onDamage, events.observer)
            let wal =
                isReadOnly
                ? try await NumberWal.openReadOnly(at: path, configuration: configuration)
                : try await NumberWal.open(at: path, configuration: configuration)
            let told = events.events.compactMap { event -> PartitionID? in
                if case .unreadable(let id, 1, let error) = event, error.code == .unknownKey { id } else { nil }
            }
            #expect(Set(told) == [1, 2])
            for id in [1, 2] as [PartitionID] {
                let partition = try wal.partition(id)
                // Asked again, it says the same.
                for _ in 1...2 {
                    let error = await expectError(.unknownKey) {
                        var cursor = try partition.entries().makeCursor()
                        return try cursor.next()
                    }
                    #expect(error?.partition == id && error?.segment == 1)
                    #expect(error?.message.contains("key 1") == true && error?.message.contains(".lsn(11)") == true)
                }
            }
            var values: [UInt64] = []
            try wal.partition(1).entries(from: .lsn(11)).forEach { values.append($0.record.value) }
            #expect(values == Array(0..<10))
            values = []
            try wal.partition(3).entries().forEach { values.append($0.record.value) }
            #expect(values == Array(0..<10))
            if !isReadOnly {
                #expect(try wal.partition(2).append(Number(value: 10)).lsn == 11)
                #expect(try wal.partition(2).entries(from: .lsn(11)).makeCursor().isNext(10))
                #expect(try wal.partition(1).purge(before: 11) == 1)
                #expect(try wal.partition(1).entries().makeCursor().isNext(0))
            }
            try await wal.close()
        }
    }

    @Test func `a configuration that can read nothing of a log is refused, unless damage is tolerated`() async throws {
        try await withTemporaryDirectory { path in
            try await makeLog(path)
            let before = try snapshot(path)
            for (codec, code) in [
                (AnyWalCodec(OtherCodec()), WalError.Code.unknownCodec), (AnyWalCodec(KeyedCodec(key: 3)), .unknownKey),
            ] {
                await expectError(code) { try await NumberWal.open(at: path, configuration: configuration(codec)) }
                await expectError(code) {
                    try await NumberWal.openReadOnly(at: path, configuration: configuration(codec))
                }
            }
            #expect(try snapshot(path) == before)
            let wal = try await NumberWal.open(
                at: path, configuration: configuration(AnyWalCodec(OtherCodec()), onDamage: .quarantine))
            #expect(try wal.partition(1).append(Number(value: 7)).lsn == 21)
            #expect(try wal.partition(1).entries(from: .lsn(21)).makeCursor().isNext(7))
            await expectError(.unknownCodec) { try wal.partition(1).entries().forEach { _ in } }
            try await wal.close()
        }
    }
}

extension Wal<Number>.Partition.Cursor {
    fileprivate func isNext(_ value: UInt64) throws -> Bool {
        var cursor = self
        return try cursor.next()?.record == Number(value: value)
    }
}
