import Foundation
import Testing
import WalTesting
import WriteAheadLog

@Suite struct `What somebody else put into the log's directories` {
    /// Makes something at a path, and says whether it is still there as it was.
    private struct Thing: CustomTestStringConvertible, Sendable {
        var name: String
        var kind: Kind
        enum Kind: String, CaseIterable { case file, directory, fifo, link }
        var testDescription: String { "\(kind.rawValue) \(name)" }

        func make(in directory: String) throws {
            let path = "\(directory)/\(name)"
            switch kind {
            case .file: try writeFile(path, Array("mine".utf8))
            case .directory: try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            case .fifo: #expect(mkfifo(path, 0o600) == 0)
            case .link: #expect(symlink("/etc/passwd", path) == 0)
            }
        }

        func isThere(in directory: String) -> Bool {
            var status = stat()
            guard lstat("\(directory)/\(name)", &status) == 0 else { return false }
            return switch (kind, status.st_mode & S_IFMT) {
            case (.file, S_IFREG): (try? readFile("\(directory)/\(name)")) == Array("mine".utf8)
            case (.directory, S_IFDIR), (.fifo, S_IFIFO), (.link, S_IFLNK): true
            default: false
            }
        }

        static let all: [Thing] = {
            var all: [Thing] = []
            for kind in Kind.allCases {
                for name in ["notes.prepared", "x.aside", "notes.txt", "lost+found", ".prepared", "1.wal"] {
                    all.append(Thing(name: name, kind: kind))
                }
                // What the log itself would make, it makes as a regular file.
                if kind != .file {
                    all.append(Thing(name: FileFormat.preparedName("recompressed", maker: 5), kind: kind))
                }
            }
            return all
        }()
    }

    @Test(arguments: Thing.all) private func `stays, and disturbs nothing`(_ thing: Thing) async throws {
        try await withTemporaryDirectory { path in
            var next = 1
            for round in 0..<3 {
                var configuration = small()
                configuration.truncate = round == 2
                if configuration.truncate { next = 1 }
                let storage = FaultyStorage(runsWorkers: false)
                let wal = try await BytesWal.open(at: path, configuration: configuration, storage: storage)
                let partition = try wal.partition(1)
                try partition.appendRecords(next...next + 999)
                next += 1_000
                try await wal.close()
                if round == 0 { try thing.make(in: partitionPath(path)) }
                #expect(thing.isThere(in: partitionPath(path)))
            }
            #expect(try await WalVerification.verify(at: path).damage.isEmpty)
        }
    }

    @Test func `what the log itself made ready goes at the next opening`() async throws {
        try await withTemporaryDirectory { path in
            try await abandonedLog(at: path) { try $0.appendRecords(1...10) }
            for name in FileFormat.preparedPurposes.map({ FileFormat.preparedName($0, maker: 7) }) {
                try writeFile("\(partitionPath(path))/\(name)", [1, 2, 3])
            }
            let wal = try await BytesWal.open(at: path, configuration: small())
            try await wal.close()
            let names = try FileManager.default.contentsOfDirectory(atPath: partitionPath(path)).sorted()
            #expect(names == [FileFormat.segmentName(1), "STATE"])
        }
    }
}
