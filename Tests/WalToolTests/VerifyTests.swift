import Foundation
import Testing
import WalBinary
import WalJSON
import WalTool
import WriteAheadLog

@Suite struct `Verifying logs` {
    /// Ten records a segment, `segments` times over.
    private func makeLog(_ path: String, segments: Int = 3, batch: Int = 1) async {
        for k in 0..<segments {
            await append(numbers((10 * k + 1)...(10 * k + 10)), to: path) { $0.batch = batch }
        }
    }

    private func damage(_ path: String) throws -> [WalError] {
        try WalVerification.verifyAndWait(at: path).damage
    }

    @Test func `a clean log has no damage`() async throws {
        try await withTemporaryDirectory { path in
            await makeLog(path, batch: 4)
            let result = try await WalVerification.verify(at: path)
            #expect(!result.isDamaged)
            #expect(result.records == 30)
            #expect(result.partitions.first?.isClean == true)
            #expect(result.partitions.first?.remarks.isEmpty == true)
            let printed = await verify(path)
            #expect(printed.status == .success)
            #expect(printed.output.hasSuffix("30 records, \(37_000 + printed.byteSlack) bytes: no damage\n"))
        }
    }

    @Test func `an index of a large segment leads to its records`() async throws {
        try await withTemporaryDirectory { path in
            let text = (1...2000).map { "[\($0),\"\(String(repeating: "y", count: $0 % 700))\"]\n" }.joined()
            await append(text, to: path) { $0.segmentSize = 300_000 }
            await append(text, to: path) {
                $0.batch = 30
                $0.sync = .each
            }
            #expect(await verify(path).status == .success)
        }
    }

    @Test func `a flipped bit is found wherever it is`() async throws {
        try await withTemporaryDirectory { path in
            await makeLog(path, segments: 2)
            for place in [0, 1] {
                let file = try segmentPath(path, place: place)
                let whole = try bytes(file)
                let offsets =
                    Array(stride(from: 0, to: 12_288, by: 61)) + Array(stride(from: 12_288, to: whole.count, by: 5))
                for offset in offsets {
                    var broken = whole
                    broken[offset] ^= 1 << UInt8(offset & 7)
                    try replace(file, with: broken)
                    do {
                        let found: [WalError] = try damage(path)
                        #expect(!found.isEmpty, "offset \(offset) of segment \(place)")
                        #expect(found.allSatisfy { $0.segment == LSN(UInt64(10 * place + 1)) }, "\(found)")
                    } catch let error as WalError {
                        // A flag or a version that only a newer release has.
                        #expect(error.code == .unsupportedFormat, "offset \(offset) of segment \(place): \(error)")
                    }
                }
                try replace(file, with: whole)
            }
            let state = "\(path)/partition-00000/STATE"
            let whole = try bytes(state)
            for offset in stride(from: 0, to: 512, by: 7) {
                for slot in [0, 4096] {
                    try flip(state, at: slot + offset)
                    // A crash may tear the slot that is being written, so that this is no damage; the other one counts.
                    let found = try WalVerification.verifyAndWait(at: path).partitions.flatMap {
                        $0.damage + $0.remarks
                    }
                    #expect(!found.isEmpty, "offset \(slot + offset) of STATE")
                    try replace(state, with: whole)
                }
            }
            #expect(try damage(path).isEmpty)
        }
    }

    @Test func `damage within a segment is named with offset and LSN, and the rest is checked`() async throws {
        try await withTemporaryDirectory { path in
            await makeLog(path)
            let file = try segmentPath(path, place: 1)
            // Records of one to two digits take a frame of 24 bytes: these are the third and the seventh.
            try flip(file, at: 12_288 + 2 * 24 + 16)
            try flip(file, at: 12_288 + 6 * 24 + 3)
            let found = try damage(path)
            #expect(found.map { $0.lsn?.rawValue } == [13, 17])
            #expect(found.map { $0.offset } == [12_288 + 48, 12_288 + 144])
            #expect(found.allSatisfy { $0.partition == 0 && $0.segment == 11 && $0.code == .corrupt })
            #expect(try WalVerification.verifyAndWait(at: path).records == 28)
            let printed = await verify(path)
            #expect(printed.status == .damaged)
            #expect(printed.lines[0].hasPrefix("damaged: partition 0, segment 11, offset 12336, LSN 13: corrupt: "))
            #expect(printed.lines.last?.hasSuffix("2 places damaged") == true)
            let json = try JSONValue(parsing: await verify(path, json: true).output.filter { $0 != "\n" })
            #expect(json["status"] == "damaged")
            #expect(json["partitions"]?[0]?["damage"]?[1]?["lsn"] == 17)
        }
    }

    @Test func `a closed log that was cut anywhere is damaged`() async throws {
        try await withTemporaryDirectory { path in
            await makeLog(path, segments: 2)
            for place in [0, 1] {
                let file = try segmentPath(path, place: place)
                let whole = try bytes(file)
                for size in [0, 1, 4096, 12_288, 12_300, 12_312, whole.count - 100, whole.count - 32, whole.count - 1] {
                    try replace(file, with: Array(whole[..<size]))
                    #expect(try !damage(path).isEmpty, "\(size) bytes of segment \(place)")
                }
                try replace(file, with: whole)
            }
        }
    }

    @Test(arguments: [0, 1, 2])
    func `a missing segment is damage`(_ place: Int) async throws {
        try await withTemporaryDirectory { path in
            await makeLog(path)
            try FileManager.default.removeItem(atPath: try segmentPath(path, place: place))
            let found = try damage(path)
            #expect(found.count == 1)
            #expect(found.first?.code == .missing)
            #expect(found.first?.segment == LSN(UInt64(10 * place + 1)))
            #expect(found.first?.lsn == LSN(UInt64(10 * place + 1)))
            #expect(await verify(path).status == .damaged)
        }
    }

    @Test func `a link in a segment's place is damage`() async throws {
        try await withTemporaryDirectory { path in
            await makeLog(path)
            let file = try segmentPath(path, place: 1)
            try FileManager.default.moveItem(atPath: file, toPath: "\(path)/elsewhere")
            try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: "\(path)/elsewhere")
            #expect(try damage(path).map(\.code) == [.notALog])
        }
    }

    @Test func `a segment of another place is damage`() async throws {
        try await withTemporaryDirectory { path in
            await makeLog(path)
            try replace(try segmentPath(path, place: 1), with: try bytes(try segmentPath(path, place: 2)))
            #expect(try damage(path).map { $0.segment } == [11])
        }
    }

    @Test func `what a crash tore off above the last mark is reported, but is no damage`() async throws {
        try await withTemporaryDirectory { path in
            let copy = "\(path)/copy"
            let wal = try await Wal<JSONValue>.open(at: "\(path)/log", configuration: .init(codec: .binary()))
            for k in 1...5 { try await wal.append(.number(JSONNumber(k)), to: 0, durability: .synced) }
            for k in 6...9 { try wal.append(.number(JSONNumber(k)), to: 0) }
            try FileManager.default.copyItem(atPath: "\(path)/log", toPath: copy)
            try await wal.close()
            // As a crash leaves it, and not as a copy of files that may be of different moments.
            try disown(copy)
            let file = try segmentPath(copy)
            let whole = try bytes(file)
            #expect(await verify(copy).status == .success)
            let frame = try #require(whole.lastIndex { $0 != 0 })
            try flip(file, at: frame)
            let torn = try WalVerification.verifyAndWait(at: copy)
            #expect(torn.damage.isEmpty)
            #expect(torn.partitions.first?.tornTail?.lsn == 9)
            #expect(torn.partitions.first?.tornTail?.segment == 1)
            #expect(torn.partitions.first?.lastLSN == 8)
            let printed = await verify(copy)
            #expect(printed.status == .success)
            #expect(printed.output.contains("torn tail, no damage: partition 0, segment 1"))
            try replace(file, with: whole)
            // The second record is below a mark.
            try flip(file, at: 12_288 + 24 + 17)
            #expect(try damage(copy).map { $0.lsn?.rawValue } == [2])
        }
    }

    @Test func `what verification calls undamaged opens, and what does not open is damaged`() async throws {
        try await withTemporaryDirectory { path in
            let original = "\(path)/original"
            let wal = try await Wal<JSONValue>.open(
                at: original, configuration: .init(segmentSize: 65_536, codec: .binary()))
            let text = JSONValue.string(String(repeating: "z", count: 900))
            for k in 1...200 {
                try wal.append(text, to: 0)
                if k % 37 == 0 { try await wal.sync() }
                if k % 50 == 0 { try wal.append(contentsOf: [text, nil], to: 0) }
            }
            try FileManager.default.copyItem(atPath: original, toPath: "\(path)/crashed")
            try await wal.close()
            #expect(await verify(original).status == .success)
            #expect(await verify("\(path)/crashed").status == .success)
            var random = Seeded(state: 42)
            for source in [original, "\(path)/crashed"] {
                for round in 0..<60 {
                    let copy = "\(path)/copy"
                    try FileManager.default.copyItem(atPath: source, toPath: copy)
                    defer { try? FileManager.default.removeItem(atPath: copy) }
                    let count = try segmentCount(copy)
                    let file = try segmentPath(copy, place: Int.random(in: 0..<count, using: &random))
                    var content = try bytes(file)
                    let offset = Int.random(in: 0..<content.count, using: &random)
                    switch round % 4 {
                    case 0: try FileManager.default.removeItem(atPath: file)
                    case 1: try replace(file, with: Array(content[..<offset]))
                    case 2:
                        content.replaceSubrange(
                            offset..<min(offset + 3000, content.count),
                            with: repeatElement(0, count: min(3000, content.count - offset)))
                        try replace(file, with: content)
                    default: try flip(file, at: offset)
                    }
                    let what = "round \(round): \(file), offset \(offset) of \(content.count)"
                    let checked: WalVerification
                    do {
                        checked = try WalVerification.verifyAndWait(at: copy)
                    } catch let error as WalError {
                        #expect(error.code == .unsupportedFormat, "\(what): \(error)")
                        continue
                    }
                    do {
                        let configuration = Wal<JSONValue>.Configuration(codec: .binary(), check: .full)
                        let opened = try await Wal<JSONValue>.open(at: copy, configuration: configuration)
                        if !checked.isDamaged {
                            let last = try opened.partition(0).lastLSN
                            #expect(last == checked.partitions.first?.lastLSN ?? .none, "\(what)")
                        }
                        try await opened.close()
                    } catch {
                        #expect(checked.isDamaged, "\(what): \(error)")
                    }
                }
            }
        }
    }

    @Test func `a place without a log is unusable`() async throws {
        try await withTemporaryDirectory { path in
            for place in [path, "\(path)/none"] {
                let result = await verify(place)
                #expect(result.status == .unusable)
                #expect(result.errors.hasPrefix("walctl: ") && result.errors.split(separator: "\n").count == 1)
            }
        }
    }
}

/// SplitMix64: the same faults in each run.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}

extension Outcome {
    /// What the last line's count of bytes has over 37,000.
    fileprivate var byteSlack: Int {
        let words = lines.last?.split(separator: " ") ?? []
        guard let place = words.firstIndex(of: "bytes:"), let bytes = Int(words[place - 1]) else { return -1 }
        return bytes - 37_000
    }
}
