#if Zstd
import Foundation
import Testing
import WalJSON
import WalTesting
import WalZstd
import WriteAheadLog

/// Sealed segments may be written anew, smaller, under the eyes of readers: promise 14.
@Suite struct RecompressionTests {
    private func configuration(
        _ codec: AnyWalCodec<Event> = .zstd(.json()), _ background: AnyWalCodec<Event>? = nil
    ) -> Wal<Event>.Configuration {
        var configuration = Wal<Event>.Configuration(
            segmentSize: 64 << 10, codec: codec, readableCodecs: [.zstd(.json())],
            recompression: background.map { [1: $0] } ?? [:])
        configuration.createIfMissing = true
        return configuration
    }

    private func event(_ number: Int) -> Event {
        Event(id: number, text: "user \(number % 7) did something that others did before, as in \(number % 13)")
    }

    private func size(_ path: String) throws -> Int {
        let directory = path + "/partition-00001"
        return try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(".wal") }.reduce(0)
        {
            $0 + (try FileManager.default.attributesOfItem(atPath: directory + "/" + $1)[.size] as? Int ?? 0)
        }
    }

    private func check(_ partition: Wal<Event>.Partition, _ count: Int) throws {
        var next = 1
        try partition.entries().forEach { entry in
            #expect(entry.lsn.rawValue == UInt64(next) && entry.record == event(next))
            next += 1
        }
        #expect(next == count + 1)
        for lsn in stride(from: 1, to: count, by: 97) {
            var cursor = try partition.entries(from: .lsn(LSN(UInt64(lsn)))).makeCursor()
            #expect(try cursor.next()?.record == event(lsn))
        }
    }

    @Test(arguments: [1 << 10, 64 << 10, 1 << 20])
    func `the log becomes smaller and stays the same, also when reopened`(blockSize: Int) async throws {
        try await withTemporaryDirectory { path in
            for codec in [AnyWalCodec<Event>.json(), .zstd(.json())] {
                var wal = try await Wal<Event>.open(at: path, configuration: configuration(codec))
                var partition = try wal.partition(1)
                let first = Int(partition.lastLSN.rawValue) + 1
                var positions: [(Int, Position)] = []
                for number in first..<(first + 3_000) {
                    let receipt = try partition.append(event(number))
                    if number % 111 == 0 { positions.append((number, receipt.position)) }
                }
                try await wal.sync()
                let before = try size(path)
                var left: [Int] = []
                let done = try partition.recompress(with: .zstd(.json(), level: 12), blockSize: blockSize) {
                    left.append($1)
                }
                #expect(done.segments > 1 && done.bytesAfter * 2 < done.bytesBefore)
                #expect(left == Array((0..<left.count).reversed()))
                #expect(try size(path) == before - Int(done.bytesBefore - done.bytesAfter))
                // They are of this very codec now.
                #expect(try partition.recompress(with: .zstd(.json(), level: 12)).segments == 0)
                try check(partition, first + 2_999)
                for (number, position) in positions {
                    var cursor = try partition.entries(from: .after(position)).makeCursor()
                    #expect(try cursor.next().map { $0.record == event(number + 1) } ?? (number == first + 2_999))
                }
                #expect(try await !WalVerification.verify(at: path).isDamaged)
                try await wal.close()
                wal = try await Wal<Event>.open(at: path, configuration: configuration(codec))
                partition = try wal.partition(1)
                try check(partition, first + 2_999)
                try await wal.close()
            }
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `readers here and in another process, and tails, go on over it`() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await Wal<Event>.open(at: path, configuration: configuration())
            let partition = try wal.partition(1)
            for number in 1...4_000 { try partition.append(event(number)) }
            try await wal.sync()
            let other = try await Wal<Event>.openReadOnly(at: path, configuration: configuration())
            // One stands at the beginning, one amid a segment; neither has opened what comes later.
            var mine = try partition.entries().makeCursor()
            var middle = try partition.entries(from: .lsn(700)).makeCursor()
            var theirs = try other.partition(1).entries().makeCursor()
            _ = try (mine.next(), middle.next(), theirs.next())
            let tail = Task {
                var next = 1
                for try await entry in try partition.tail() {
                    #expect(entry.record == event(next))
                    next += 1
                    if next > 4_100 { break }
                }
                return next
            }
            #expect(try partition.recompress(with: .zstd(.json(), level: 19)).segments > 2)
            for number in 2...4_000 { #expect(try mine.next()?.record == event(number)) }
            for number in 701...4_000 { #expect(try middle.next()?.record == event(number)) }
            for number in 2...4_000 { #expect(try theirs.next()?.record == event(number)) }
            for number in 4_001...4_100 { try partition.append(event(number)) }
            try await wal.sync()
            #expect(try await tail.value == 4_101)
            #expect(try partition.purge(before: 2_000) > 0)
            try await other.close()
            try await wal.close()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `in the background it follows the writer`() async throws {
        try await withTemporaryDirectory { path in
            let (events, continuation) = AsyncStream.makeStream(of: Recompression.self)
            var configuration = configuration(.json(), .zstd(.json(), level: 5))
            configuration.observer = WalObserver { event in
                if case .recompressed(_, let done) = event { continuation.yield(done) }
                if case .recompressionFailed(_, let error) = event { Issue.record(error) }
            }
            let wal = try await Wal<Event>.open(at: path, configuration: configuration)
            let partition = try wal.partition(1)
            for number in 1...3_000 {
                try partition.append(event(number))
                if number % 500 == 0 { try await partition.sync() }
            }
            for await done in events {
                #expect(done.segments > 0 && done.bytesAfter < done.bytesBefore)
                break
            }
            try check(partition, 3_000)
            try await wal.close()
            let again = try await Wal<Event>.open(at: path, configuration: configuration)
            try check(again.partition(1), 3_000)
            try await again.close()
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `closing waits for it, wherever it stands, and nothing comes after that (promise 8)`() async throws {
        for (operation, name) in [
            (FaultyStorage.Operation.openFile, "recompressed-"), (.sync, "recompressed-"), (.rename, "recompressed-"),
        ] {
            try await withTemporaryDirectory { path in
                let storage = FaultyStorage()
                let wal = try await Wal<Event>.open(at: path, configuration: configuration(.json()), storage: storage)
                let partition = try wal.partition(1)
                for number in 1...3_000 { try partition.append(event(number)) }
                try await wal.sync()
                let gate = storage.hold([operation], of: name)
                let ended = Locked(0)
                Thread.detachNewThread {
                    _ = try? partition.recompress(with: .zstd(.json(), level: 3))
                    ended.withLock { $0 += 1 }
                }
                #expect(gate.waitForArrival())
                Thread.detachNewThread {
                    try? wal.closeAndWait()
                    let isOpen = gate.isOpen
                    storage.forgetCalls()
                    ended.withLock { $0 += isOpen ? 1 : 100 }
                }
                for _ in 0..<1_000 { await Task.yield() }
                gate.open()
                while ended.withLock({ $0 % 100 }) < 2, ended.withLock({ $0 }) < 100 { await Task.yield() }
                #expect(ended.withLock { $0 } == 2)
                let again = try await Wal<Event>.open(at: path, configuration: configuration(.json()))
                try check(again.partition(1), 3_000)
                try await again.close()
                #expect(storage.calls([.write, .sync, .rename, .remove, .syncDirectory]).isEmpty)
                let names = try FileManager.default.contentsOfDirectory(atPath: path + "/partition-00001")
                #expect(!names.contains { FileFormat.isPreparedName($0) })
            }
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `it may be closed by the closure that hears of its progress`() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await Wal<Event>.open(at: path, configuration: configuration(.json()))
            let partition = try wal.partition(1)
            for number in 1...3_000 { try partition.append(event(number)) }
            try await wal.sync()
            do throws(WalError) {
                _ = try partition.recompress(with: .zstd(.json(), level: 3)) { _, _ in try? wal.closeAndWait() }
                Issue.record("it went on after closing")
            } catch {
                #expect(error.code == .closed)
            }
            let again = try await Wal<Event>.open(at: path, configuration: configuration(.json()))
            try check(again.partition(1), 3_000)
            try await again.close()
        }
    }

    @Test func `what this build does not know of a record is kept`() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await Wal<Event>.open(at: path, configuration: configuration(.json()))
            let partition = try wal.partition(1)
            func text(_ number: Int) -> [UInt8] { Array(#"{"id":\#(number),"text":"x","ofANewerBuild":[1,2,3]}"#.utf8) }
            for number in 1...3_000 { try text(number).withUnsafeBytes { _ = try partition.append(payload: $0.bytes) } }
            try await wal.sync()
            #expect(try partition.recompress(with: .zstd(.json(), level: 3)).segments > 0)
            var next = 1
            try partition.entries().forEachPayload { (lsn, bytes) throws(WalError) in
                // A record of a batch begins with the byte that says it is plain.
                #expect(bytes.withUnsafeBytes { Array($0.suffix(text(next).count)) } == text(next))
                next += 1
            }
            #expect(next == 3_001)
            try await wal.close()
        }
    }

    @Test func `what makes no sense is refused before anything is written`() async throws {
        try await withTemporaryDirectory { path in
            var configuration = Wal<Event>.Configuration(segmentSize: 64 << 10, codec: .json())
            let wal = try await Wal<Event>.open(at: path, configuration: configuration)
            let partition = try wal.partition(1)
            func code(_ body: () throws(WalError) -> Recompression) -> WalError.Code? {
                do throws(WalError) {
                    _ = try body()
                    return nil
                } catch { return error.code }
            }
            // It codes no batches; it could not be read again; no block.
            #expect(code { () throws(WalError) in try partition.recompress(with: .json()) } == .invalidArgument)
            #expect(code { () throws(WalError) in try partition.recompress(with: .zstd(.json())) } == .invalidArgument)
            try await wal.close()
            configuration.readableCodecs = [.zstd(.json())]
            let again = try await Wal<Event>.open(at: path, configuration: configuration)
            for size in [0, -1, 1023, Int.max] {
                #expect(
                    code { () throws(WalError) in
                        try again.partition(1).recompress(with: .zstd(.json()), blockSize: size)
                    } == .invalidArgument)
            }
            // Records of another inner codec are left as they are.
            for number in 1...3_000 { try again.partition(1).append(event(number)) }
            try await again.sync()
            try await again.close()
            #expect(code { () throws(WalError) in try again.partition(1).recompress(with: .zstd(.json())) } == .closed)
            let reader = try await Wal<Event>.openReadOnly(at: path, configuration: configuration)
            #expect(
                code { () throws(WalError) in try reader.partition(1).recompress(with: .zstd(.json())) } == .readOnly)
            try await reader.close()
        }
    }
}
#endif
