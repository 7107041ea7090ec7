import CBaseline
import Foundation
import WriteAheadLog

/// `bench curves`: how costs grow, as Markdown tables. Up to 21 GiB of disk.
struct Curves {
    static let argument = "curves"
    let directory: String
    private var path: String { directory + "/curve" }

    func main(_ wanted: ArraySlice<String>) async throws {
        let all: [(String, () async throws -> Void)] = [
            ("size", recordSizes), ("tasks", tasks), ("readers", readers), ("partitions", partitions),
            ("log", logSizes),
        ]
        for (name, run) in all where wanted.isEmpty || wanted.contains(name) {
            try await run()
            print("")
            fflush(nil)
        }
    }

    // MARK: Tables

    private func head(_ columns: [String]) {
        print("| " + columns.joined(separator: " | ") + " |")
        print("|" + String(repeating: " ---: |", count: columns.count))
    }

    private func row(_ cells: [String]) {
        print("| " + cells.joined(separator: " | ") + " |")
        fflush(nil)
    }

    private func text(_ value: Double) -> String {
        switch value {
        case ..<10: String(format: "%.2f", value)
        case ..<100: String(format: "%.1f", value)
        default: String(format: "%.0f", value)
        }
    }

    private func size(_ bytes: Int) -> String {
        switch bytes {
        case ..<1024: "\(bytes) B"
        case ..<(1 << 20): "\(bytes >> 10) KiB"
        case ..<(1 << 30): "\(bytes >> 20) MiB"
        default: "\(bytes >> 30) GiB"
        }
    }

    private func median(_ count: Int = 3, _ measure: () async throws -> Double) async throws -> Double {
        var values: [Double] = []
        for _ in 0..<count { values.append(try await measure()) }
        return values.sorted()[count / 2]
    }

    /// Of this process now, in MiB (proc(5)): all of it, without what the page cache holds of mapped files.
    private func memory() throws -> Double {
        let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ").compactMap {
            Double($0)
        }
        guard fields.count > 2 else { throw WalError(.io, "/proc/self/statm has another form") }
        return (fields[1] - fields[2]) * Double(getpagesize()) / 1_048_576
    }

    private func fresh() throws { try removeIfThere(path) }

    // MARK: Curves

    private func recordSizes() async throws {
        print("Record size, raw bytes, one partition, handed to the OS:\n")
        head(["record", "append ns", "append MB/s", "stream ns", "stream MB/s"])
        for bytes in (2...10).map({ 1 << (2 * $0) }) {
            let record = [UInt8](repeating: 7, count: bytes)
            let count = min(1_000_000, (512 << 20) / bytes)
            var streams: [Double] = []
            let append = try await median {
                try fresh()
                let wal = try await Wal<Payload>.open(at: path, configuration: .raw)
                let partition = try wal.partition(1)
                let taken = try await seconds {
                    for _ in 0..<count { try partition.append(payload: record.span.bytes) }
                }
                var found = 0
                streams.append(
                    try await seconds {
                        try partition.entries().forEachPayload { _, payload in found += payload.byteCount }
                    })
                guard found == count * bytes else { throw WalError(.corrupt, "read \(found) bytes") }
                try await wal.close()
                return taken
            }
            let stream = streams.sorted()[1]
            let (nanoseconds, megabytes) = (1e9 / Double(count), Double(count * bytes) / 1e6)
            row([
                size(bytes), text(append * nanoseconds), text(megabytes / append), text(stream * nanoseconds),
                text(megabytes / stream),
            ])
        }
        try fresh()
    }

    private func tasks() async throws {
        print("Tasks on one partition, each record synced:\n")
        head(["tasks", "records/s", "p50 ms", "p99 ms"])
        for tasks in (0...9).map({ 1 << $0 }) {
            let each = max(100, 20_000 / tasks)
            var quantiles: [(Double, Double)] = []
            let rate = try await median {
                try fresh()
                let wal = try await Wal<Payload>.open(at: path, configuration: .raw)
                let partition = try wal.partition(1)
                let times = Times()
                let taken = try await seconds {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for _ in 0..<tasks {
                            group.addTask {
                                var mine: [UInt] = []
                                for _ in 0..<each {
                                    let start = bench_clock()
                                    try await partition.append(Payload(recordA), durability: .synced)
                                    mine.append(bench_clock() - start)
                                }
                                times.add(mine)
                            }
                        }
                        try await group.waitForAll()
                    }
                }
                guard partition.mark.durable == LSN(UInt64(tasks * each)) else {
                    throw WalError(.corrupt, "not all is durable")
                }
                var histogram = times.histogram
                quantiles.append(
                    (histogram_quantile(&histogram, 0.5) / 1e6, histogram_quantile(&histogram, 0.99) / 1e6))
                try await wal.close()
                return Double(tasks * each) / taken
            }
            let p50 = quantiles.map(\.0).sorted()[1]
            let p99 = quantiles.map(\.1).sorted()[1]
            row(["\(tasks)", text(rate), text(p50), text(p99)])
        }
        try fresh()
    }

    private func readers() async throws {
        let count = 2_000_000
        print(
            "Readers that follow a writer of \(count) records of 65 bytes, all on \(ProcessInfo.processInfo.processorCount) cores:\n"
        )
        head(["readers", "writer ns/record", "until all have read all, ns/record", "records read/s, all readers"])
        for readers in [0, 1, 2, 4, 8, 16] {
            var totals: [Double] = []
            let writer = try await median {
                try fresh()
                let wal = try await Wal<Payload>.open(at: path, configuration: .raw)
                let partition = try wal.partition(1)
                var wrote = 0.0
                let total = try await seconds {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for _ in 0..<readers {
                            group.addTask {
                                var found = 0
                                for try await _ in try partition.tail(upTo: .appended) {
                                    found += 1
                                    if found == count { break }
                                }
                                guard found == count else {
                                    throw WalError(.corrupt, "a tail ended after \(found) records")
                                }
                            }
                        }
                        wrote = try await seconds {
                            for _ in 0..<count { try partition.append(payload: recordA.span.bytes) }
                        }
                        try await group.waitForAll()
                    }
                }
                totals.append(total)
                try await wal.close()
                return wrote
            }
            let total = totals.sorted()[1]
            let each = 1e9 / Double(count)
            row([
                "\(readers)", text(writer * each), text(total * each),
                readers == 0 ? "–" : text(Double(readers * count) / total),
            ])
        }
        try fresh()
    }

    private func partitions() async throws {
        print("Partitions, with one record of 65 bytes in each; `open` is after an orderly close:\n")
        head([
            "partitions", "first append µs each", "memory KiB each", "files", "disk KiB each", "close ms", "open ms",
            "memory KiB each, opened",
        ])
        for count in [1, 16, 256, 4096, 65_536] {
            try fresh()
            let start = try memory()
            var wal: Wal<Payload>? = try await Wal<Payload>.open(at: path, configuration: .raw)
            guard let writing = wal else { return }
            let append = try await seconds {
                for id in 0..<count {
                    try writing.partition(PartitionID(rawValue: UInt16(id))).append(payload: recordA.span.bytes)
                }
            }
            let used = try memory() - start
            let (files, blocks) = try disk()
            let close = try await seconds { try await writing.close() }
            wal = nil
            let before = try memory()
            var again: Wal<Payload>?
            let open = try await seconds { again = try await Wal<Payload>.open(at: path, configuration: .raw) }
            let opened = try memory() - before
            guard again?.partitionIDs.count == count else { throw WalError(.corrupt, "not all partitions are there") }
            try await again?.close()
            let each = Double(count)
            row([
                "\(count)", text(append * 1e6 / each), text(max(0, used) * 1024 / each), "\(files)",
                text(Double(blocks) / 2 / each), text(close * 1e3), text(open * 1e3),
                text(max(0, opened) * 1024 / each),
            ])
        }
        try fresh()
    }

    /// How many files there are, and how many blocks of 512 bytes they take.
    private func disk() throws -> (files: Int, blocks: Int) {
        var files = 0
        var blocks = 0
        guard let names = FileManager.default.enumerator(atPath: path) else {
            throw WalError(.io, "cannot list \(path)")
        }
        for case let name as String in names {
            var status = stat()
            guard lstat(path + "/" + name, &status) == 0 else { throw WalError(.io, "cannot look at \(name)") }
            if status.st_mode & S_IFMT == S_IFREG { files += 1 }
            blocks += Int(status.st_blocks)
        }
        return (files, blocks)
    }

    private func logSizes() async throws {
        print(
            "Log size, records of 1 KiB in one partition; opened after an orderly close, then the first record from near the end:\n"
        )
        head(["log", "segments", "append MB/s", "open ms", "seek µs", "memory MiB"])
        try fresh()
        var written = 0
        let perGibibyte = (1 << 30) / 1048
        for gibibytes in [1, 2, 5, 10, 20] {
            var wal = try await Wal<Payload>.open(at: path, configuration: .raw)
            let wanted = gibibytes * perGibibyte
            let append = try await append(wal, wanted - written)
            let rate = Double((wanted - written) * 1024) / append / 1e6
            written = wanted
            try await wal.close()
            let open = try await median {
                let taken = try await seconds { wal = try await Wal<Payload>.open(at: path, configuration: .raw) }
                try await wal.close()
                return taken
            }
            wal = try await Wal<Payload>.open(at: path, configuration: .raw)
            let partition = try wal.partition(1)
            let seek =
                try await seconds {
                    for k in 0..<100 {
                        let lsn = LSN(UInt64(written - 1 - k * 37))
                        var cursor = try partition.entries(from: .lsn(lsn)).makeCursor()
                        guard try cursor.next()?.lsn == lsn else { throw WalError(.corrupt, "another record") }
                    }
                } / 100
            let used = try memory()
            try await wal.close()
            let segments = try disk().files - 2
            row(["\(gibibytes) GiB", "\(segments)", text(rate), text(open * 1e3), text(seek * 1e6), text(used)])
        }
        try fresh()
    }

    private func append(_ wal: Wal<Payload>, _ count: Int) async throws -> Double {
        let partition = try wal.partition(1)
        return try await seconds { for _ in 0..<count { try partition.append(payload: recordB.span.bytes) } }
    }
}
