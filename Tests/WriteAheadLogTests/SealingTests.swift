import Testing
import WalTesting
import WriteAheadLog

@Suite(.timeLimit(.minutes(15)))
struct SealingTests {
    private func sealed(
        _ codec: ToySealingCodec = ToySealingCodec(), writes: WriteMode = .automatic, reads: ReadMode = .automatic
    ) -> BytesWal.Configuration {
        var configuration = small(writes)
        configuration.codec = AnyWalCodec(codec)
        configuration.reads = reads
        return configuration
    }

    /// Appends 60 records in every way that there is; returns how many.
    private func appendInEveryWay(_ partition: BytesWal.Partition, from first: Int = 1) async throws -> Int {
        var k = first
        func next() -> Payload {
            defer { k += 1 }
            return Payload(record(k))
        }
        for _ in 0..<10 { try partition.append(next()) }
        for _ in 0..<5 { try await partition.append(next(), durability: .synced) }
        try partition.append(contentsOf: (0..<7).map { _ in next() })
        try await partition.append(contentsOf: (0..<7).map { _ in next() }, durability: .synced)
        try await onThread {
            _ = try partition.appendAndWait(next())
            _ = try partition.appendAndWait(contentsOf: [next(), next()])
        }
        let bytes = next().bytes
        try partition.append(payload: bytes.span.bytes)
        for _ in 0..<27 { try await partition.append(next(), durability: k % 2 == 0 ? .handedToOS : .synced) }
        return k - first
    }

    @Test(arguments: [WriteMode.mapped, .written], [ReadMode.automatic, .pread])
    func `what every kind of append wrote is read back, also after reopening and beside the writer`(
        writes: WriteMode, reads: ReadMode
    ) async throws {
        try await withTemporaryDirectory { path in
            let configuration = sealed(writes: writes, reads: reads)
            var wal = try await BytesWal.open(at: path, configuration: configuration)
            let count = try await appendInEveryWay(wal.partition(1))
            try expectRecords(wal.partition(1), 1...count)
            for lsn in 1...count { try expectRecords(wal.partition(1), lsn...count, from: .lsn(LSN(UInt64(lsn)))) }
            let beside = try await BytesWal.openReadOnly(at: path, configuration: configuration)
            try expectRecords(beside.partition(1), 1...count)
            try await wal.close()
            wal = try await BytesWal.open(at: path, configuration: configuration)
            let more = try await appendInEveryWay(wal.partition(1), from: count + 1)
            try expectRecords(wal.partition(1), 1...(count + more))
            var seen = 0
            try wal.partition(1).entries().forEachPayload { lsn, bytes in
                seen += 1
                if bytes.withUnsafeBytes({ Array($0) }) != record(seen) { Issue.record("LSN \(lsn)") }
            }
            #expect(seen == count + more)
            try await wal.close()
            let verified = try await WalVerification.verify(at: path)
            #expect(verified.damage.isEmpty && verified.records == UInt64(count + more))
            #expect(try await WalInspection.inspect(at: path).partitions.first?.recordCount == UInt64(count + more))
            try expectNowhere(Array("record ".utf8), in: path)
        }
    }

    @Test(arguments: [WriteMode.mapped, .written])
    func `rotation begins a new secret for each segment, and large frames are sealed too`(writes: WriteMode)
        async throws
    {
        try await withTemporaryDirectory { path in
            let codec = ToySealingCodec()
            let wal = try await BytesWal.open(at: path, configuration: sealed(codec, writes: writes))
            let partition = try wal.partition(1)
            let large = (0..<8).map { [UInt8](repeating: UInt8($0), count: 40_000 + $0) }
            for bytes in large { try partition.append(Payload(bytes)) }
            for bytes in large { try await partition.append(Payload(bytes), durability: .synced) }
            // Over what is staged.
            try await partition.append(Payload([UInt8](repeating: 9, count: 2 << 20)), durability: .synced)
            var cursor = try partition.entries().makeCursor()
            var read: [[UInt8]] = []
            while let entry = try cursor.next() { read.append(entry.record.bytes) }
            #expect(read == large + large + [[UInt8](repeating: 9, count: 2 << 20)])
            #expect(Set(codec.log.secrets).count == codec.log.secrets.count)
            #expect(codec.log.secrets.count == (try segmentNames(path).count))
            try await wal.close()
        }
    }

    @Test func `a tail gets sealed records as they come`() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await BytesWal.open(at: path, configuration: sealed())
            let partition = try wal.partition(1)
            try partition.appendRecords(1...5)
            var tail = try partition.tail(from: .first, upTo: .appended).makeAsyncIterator()
            for k in 1...40 {
                if k > 5 { try partition.append(Payload(record(k))) }
                let entry = try await tail.next()
                #expect(entry?.lsn == LSN(UInt64(k)) && entry?.record.bytes == record(k))
            }
            try await wal.close()
        }
    }

    @Test func `purge and recovery after a kill need no secret`() async throws {
        try await withTemporaryDirectory { path in
            try await abandonedLog(at: path, sealed()) { partition in
                for k in 1...3000 { try partition.append(Payload(record(k))) }
                try partition.purge(before: 1000)
            }
            // Opened with what can't take the frames apart, which is enough to recover.
            let bytes = try await BytesWal.open(at: path, configuration: small())
            let first = try bytes.partition(1).firstRetainedLSN
            #expect(first > 1 && first <= 1000)
            #expect(try bytes.partition(1).lastLSN == 3000)
            let error = await expectError(.unknownCodec) { try expectRecords(bytes.partition(1), 1...1) }
            #expect(error?.message.contains("toy") == true)
            try await bytes.close()
            let wal = try await BytesWal.open(at: path, configuration: sealed())
            try expectRecords(wal.partition(1), Int(first.rawValue)...3000)
            #expect(try wal.partition(1).append(Payload(record(3001))).lsn == 3001)
            try expectRecords(wal.partition(1), Int(first.rawValue)...3001)
            try await wal.close()
        }
    }

    @Test func `a sealed log can go on unsealed, and an unsealed one sealed`() async throws {
        try await withTemporaryDirectory { path in
            for (round, configuration) in [small(), sealed(), small(), sealed()].enumerated() {
                var configuration = configuration
                configuration.readableCodecs = [.bytes(), AnyWalCodec(ToySealingCodec())]
                let wal = try await BytesWal.open(at: path, configuration: configuration)
                for k in 1...10 { try wal.partition(1).append(Payload(record(round * 10 + k))) }
                try expectRecords(wal.partition(1), 1...(round * 10 + 10))
                try await wal.close()
            }
        }
    }

    @Test(arguments: [WriteMode.mapped, .written])
    func `a record that found the disk full is not sealed under the number of the one that comes instead`(
        writes: WriteMode
    ) async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage(runsWorkers: false)
            let codec = ToySealingCodec()
            let wal = try await BytesWal.open(at: path, configuration: sealed(codec, writes: writes), storage: storage)
            let partition = try wal.partition(1)
            try partition.append(Payload(record(1)))
            storage.fail([.write], of: "0001.wal", times: 1, errno: ENOSPC)
            await expectError(.noSpace) { try partition.append(Payload([UInt8](repeating: 1, count: 40_000))) }
            storage.heal()
            for k in 2...9 { try partition.append(Payload(record(k))) }
            try expectRecords(partition, 1...9)
            #expect(codec.log.sealed.count == 10)
            #expect(Set(codec.log.sealed.map { "\($0.secret) \($0.number)" }).count == 10)
            #expect(codec.log.sealed.filter { $0.lsn == 2 }.count == 2)
        }
    }

    @Test(arguments: SimulatedDisk.Crash.allCases, [WriteMode.mapped, .written])
    func `over crashes and full disks what was acknowledged is opened again, and no number comes twice`(
        crash: SimulatedDisk.Crash, writes: WriteMode
    ) throws {
        var count = 0
        for seed in 0..<25 as Range<UInt64> {
            let codec = ToySealingCodec()
            let configuration = sealed(codec, writes: writes)
            let disk = SimulatedDisk(seed: seed)
            let safe = Locked<UInt64>(0)
            for round in 0..<4 {
                let numbers = Locked(SeededGenerator(seed: seed &* 31 &+ UInt64(round)))
                try disk.run {
                    let wal = try await disk.open(configuration)
                    let partition = try wal.partition(1)
                    let found = partition.readAll()
                    #expect(found.error == nil && found.isRight && UInt64(found.lsns.count) >= safe.withLock { $0 })
                    for _ in 0..<60 {
                        let next = Int(partition.lastLSN.rawValue) + 1
                        let choice = numbers.withLock { $0.below(16) }
                        if choice == 0 { disk.inject(DiskFault(.noSpace, on: [.write, .allocate, .create], times: 1)) }
                        do throws(WalError) {
                            switch choice {
                            case 1: try partition.append(contentsOf: (next..<(next + 5)).map { Payload(record($0)) })
                            case 2:
                                try await partition.append(Payload(record(next)), durability: .synced)
                                safe.withLock { $0 = UInt64(next) }
                            case 3 where next % 20 == 0:
                                try await partition.append(
                                    contentsOf: (next..<(next + 700)).map { Payload(record($0)) }, durability: .synced)
                                safe.withLock { $0 = UInt64(next + 699) }
                            default: try partition.append(Payload(record(next)))
                            }
                        } catch {
                            if error.code != .noSpace { break }
                        }
                        if crash == .kill { safe.withLock { $0 = max($0, partition.lastLSN.rawValue) } }
                    }
                }
                disk.crash(crash)
                disk.restart()
                disk.heal()
            }
            let sealed = codec.log.sealed
            #expect(Set(sealed.map { "\($0.secret) \($0.number)" }).count == sealed.count)
            count += sealed.count
        }
        // So much that it means something: a full disk may end a round early.
        #expect(count > 1_500)
    }

    @Test func `many tasks at once seal each frame once`() async throws {
        try await withTemporaryDirectory { path in
            let codec = ToySealingCodec()
            let wal = try await BytesWal.open(at: path, configuration: sealed(codec))
            let partition = try wal.partition(1)
            await withTaskGroup(of: Void.self) { group in
                for task in 0..<8 {
                    group.addTask {
                        for k in 0..<50 {
                            let payload = Payload(record(task * 50 + k))
                            _ = try? await partition.append(payload, durability: k % 3 == 0 ? .synced : .handedToOS)
                        }
                    }
                }
            }
            #expect(partition.lastLSN == 400)
            #expect(Set(codec.log.sealed.map(\.lsn)) == Set(1...400))
            #expect(Set(codec.log.sealed.map { "\($0.secret) \($0.number)" }).count == codec.log.sealed.count)
            var cursor = try partition.entries().makeCursor()
            var seen: Set<[UInt8]> = []
            while let entry = try cursor.next() { seen.insert(entry.record.bytes) }
            #expect(seen == Set((0..<400).map(record)))
            try await wal.close()
        }
    }

    @Test(arguments: [ReadMode.automatic, .pread])
    func `an unsealed frame in a segment of sealed ones is not taken for a record`(reads: ReadMode) async throws {
        try await withTemporaryDirectory { path in
            try await abandonedLog(at: path, sealed()) { partition in
                for k in 1...5 { try partition.append(Payload(record(k))) }
                try partition.syncAndWait()
            }
            var bytes = try readFile(segmentPath(path))
            let salt = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 48, as: UInt64.self) }
            for frame in frames(of: bytes) where bytes[frame.lowerBound + 8] == 3 {
                bytes[frame.lowerBound + 15] = FrameKind.record
                reseal(&bytes, frame, salt)
            }
            try writeFile(segmentPath(path), bytes)
            let wal = try await BytesWal.openReadOnly(at: path, configuration: sealed(reads: reads))
            let found = try wal.partition(1).readAll()
            #expect(found.lsns == [1, 2] && found.error?.code == .notAuthentic && found.error?.lsn == 3)
            await expectError(.notAuthentic) {
                try wal.partition(1).entries().forEachPayload { lsn, _ in #expect(lsn < 3) }
            }
            await expectError(.notAuthentic) {
                var cursor = try wal.partition(1).entries(from: .lsn(3)).makeCursor()
                _ = try cursor.next()
            }
            try await wal.close()
        }
    }

    @Test func `a sealed frame in a segment of a codec that seals none is damage`() async throws {
        try await withTemporaryDirectory { path in
            try await abandonedLog(at: path) { partition in
                for k in 1...3 { try partition.append(Payload(record(k))) }
                try partition.syncAndWait()
            }
            var bytes = try readFile(segmentPath(path))
            let frame = frames(of: bytes)[1]
            bytes[frame.lowerBound + 15] = FrameKind.sealedRecord
            reseal(&bytes, frame, bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 48, as: UInt64.self) })
            try writeFile(segmentPath(path), bytes)
            let wal = try await BytesWal.openReadOnly(at: path, configuration: small())
            let found = try wal.partition(1).readAll()
            #expect(found.lsns == [1] && found.error?.code == .corrupt)
            try await wal.close()
        }
    }

    /// What stands around a frame is authenticated with it.
    @Test func `a sealed frame in a wrapper is opened with what is around it, and not with anything else`() throws {
        let codec = ToySealingCodec()
        let around: [UInt8] = [1, 0x80, 0, 0, 3, 0, 0, 0, 7, 8, 9, 0, 0, 0, 0, 0]
        var header = SegmentHeader(
            partition: 1, firstLSN: 1, history: 5, incarnation: 5, salt: 77, created: 1,
            logID: LogID(high: 1, low: 2), codecID: ToySealingCodec.id, codecName: "toy", codecParameters: [],
            typeName: "bytes")
        let sealer = try codec.makeSealer { parameters in
            header.codecParameters = parameters
            return header.encoded()
        }
        for isRight in [true, false] {
            var bytes = header.encoded() + [UInt8](repeating: 0, count: 8_192)
            var lsn: UInt64 = 1
            for kind in [FrameKind.sealedRecord, FrameKind.sealedBatch] {
                let head: [UInt8] = [kind, 0, 0, 0, 16, 0, 0, 0] + around
                var inner = record(Int(lsn))
                var count: [UInt8] = []
                if kind == FrameKind.sealedBatch {
                    count = [2, 0, 0, 0]
                    inner = [2, 3].flatMap { k in
                        withUnsafeBytes(of: UInt32(record(k).count).littleEndian) { Array($0) } + record(k)
                    }
                }
                let records: UInt32 = kind == FrameKind.sealedBatch ? 2 : 1
                var wrapping = head
                if !isRight { wrapping[16] ^= 1 }
                let frame = WalSealedFrame(lsn: LSN(lsn), kind: kind, recordCount: records, wrapping: wrapping)
                var stored = WalEncoder()
                try inner.withUnsafeBytes { try sealer.seal($0, frame, into: &stored) }
                bytes += Frame.packed(
                    FrameKind.wrapper, lsn: lsn, payload: head + count + Array(stored.bytes), salt: 77)
                lsn += UInt64(records)
            }
            let disk = SimulatedDisk(
                seed: 1,
                files: [
                    LogImage.path(1): bytes, "LOG": LogFile(id: LogID(high: 1, low: 2), created: 1).encoded(),
                ])
            try disk.run {
                let wal = try await disk.openReadOnly(sealed(codec))
                let found = try wal.partition(1).readAll()
                #expect(try wal.partition(1).lastLSN == 3)
                if isRight {
                    #expect(found.lsns == [1, 2, 3] && found.error == nil && found.isRight)
                } else {
                    #expect(found.lsns.isEmpty && found.error?.code == .notAuthentic)
                }
                try await wal.close()
            }
        }
    }

    @Test func `a codec around one that seals is refused, instead of writing in plain`() async throws {
        try await withTemporaryDirectory { path in
            var configuration = small()
            configuration.codec = AnyWalCodec(AroundCodec(inner: AnyWalCodec(ToySealingCodec())))
            let wal = try await BytesWal.open(at: path, configuration: configuration)
            await expectError(.encoding) { try wal.partition(1).append(Payload([1])) }
            try await wal.close()
        }
    }

    @Test func `a codec that seals with other sizes than it said is refused before a byte is written`() async throws {
        try await withTemporaryDirectory { path in
            var codec = ToySealingCodec()
            codec.sealOverhead = 3
            let wal = try await BytesWal.open(at: path, configuration: sealed(codec))
            await expectError(.encoding) { try wal.partition(1).append(Payload([1])) }
            #expect(try wal.partition(1).lastLSN == .none)
            try await wal.close()
            codec.sealOverhead = 5_000
            await expectError(.invalidArgument) { try await BytesWal.open(at: path, configuration: sealed(codec)) }
        }
    }
}

/// Hands on what another codec makes of a record, as one that compresses does.
private struct AroundCodec: WalCodec {
    static var id: UInt32 { 0x8000_0101 }
    var name: String { "around" }
    var parameters: [UInt8] { [] }
    let inner: AnyWalCodec<Payload>

    func encode(_ record: borrowing Payload, into encoder: inout WalEncoder) throws(WalError) {
        try inner.encode(record, into: &encoder)
    }
    func decode(_ decoder: inout WalDecoder) throws(WalError) -> Payload { try inner.decode(&decoder) }
}
