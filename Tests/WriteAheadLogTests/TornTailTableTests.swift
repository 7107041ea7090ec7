import Foundation
import Testing
import WalTesting
import WriteAheadLog

private let fullTable = ProcessInfo.processInfo.environment["WAL_FULL_TABLE"] != nil

/// The heavy ones, one after the other: others need a thread too.
@Suite("Damage, exhaustively", .serialized, .timeLimit(.minutes(fullTable ? 600 : 15)))
enum ExhaustiveDamageTests {}

extension ExhaustiveDamageTests {
    /// Promises 4 to 6 and 13 as a table: damaged and whole frames below and above the mark, in sealed segments and in the active one,
    /// and the marks themselves; each row's outcome is that of ``DamageOracle``.
    ///
    /// `WAL_FULL_TABLE=1` takes every row; otherwise the large products are sampled, the same rows each time.
    @Suite("Torn tail or corruption")
    struct TornTailTableTests {
        /// Checks rows; says of the first few that are wrong what they are.
        ///
        /// - Parameter table: another for each table, so that a damage has each way to look in some of them.
        private static func check(
            _ rows: some Sequence<DamagedLog>, table: Int, _ location: SourceLocation = #_sourceLocation
        ) {
            var count = 0
            var failed = 0
            for row in rows {
                defer { count += 1 }
                let complaints = DamageCheck(row).complaints(row: fullTable ? nil : count + table)
                guard !complaints.isEmpty else { continue }
                failed += 1
                if failed <= 3 {
                    Issue.record("\(row.damage): \(complaints.joined(separator: "; "))", sourceLocation: location)
                }
            }
            #expect(failed == 0, "of \(count) rows", sourceLocation: location)
            if fullTable { print("\(count) rows") }
        }

        /// As many numbers below `count` as are taken of so many rows, in order; all of them for the full table.
        private static func sample(_ count: Int, of total: Int, seed: UInt64) -> [Int] {
            guard !fullTable, count < total else { return Array(0..<total) }
            var random = SeededGenerator(seed: seed)
            return (0..<count).map { k in
                // One of each stretch.
                let start = k * total / count
                return start + Int(random.next() % UInt64((k + 1) * total / count - start))
            }
        }

        @Test("one thing is wrong, wherever the mark is", arguments: MarkedLog.all)
        func single(_ marked: MarkedLog) {
            let whole = DamagedLog(marked.image)
            Self.check(
                ([whole] + (marked.singles + marked.markSingles).map { whole.damaged(by: [$0]) }), table: marked.number)
        }

        @Test("any of the frames are wrong, wherever the mark is", arguments: MarkedLog.all)
        func subsets(_ marked: MarkedLog) {
            let whole = DamagedLog(marked.image)
            let frames = marked.frames
            let kinds = Damage.ToFrame.allCases
            let rows = Self.sample(24, of: 1 << frames.count, seed: UInt64(marked.number))
            Self.check(
                rows.lazy.map { subset in
                    var random = SeededGenerator(seed: UInt64(subset))
                    return whole.damaged(
                        by: frames.enumerated().filter { subset >> $0.offset & 1 == 1 }.map {
                            .frame($0.element.0, $0.element.1, kinds[Int(random.next() % UInt64(kinds.count))])
                        })
                }, table: marked.number)
        }

        /// The newest of the marks, in another place for each.
        @Test(
            "any of the marks are wrong, and one of the frames",
            arguments: [
                (state: 8, mark: 10, frame: 9), (state: 13, mark: 10, frame: 8), (state: 8, mark: 9, frame: 9),
                (state: 9, mark: 12, frame: 4), (state: 4, mark: 8, frame: 9), (state: 6, mark: 13, frame: 5),
            ] as [(state: UInt64, mark: UInt64, frame: UInt64)])
        func marks(_ durable: (state: UInt64, mark: UInt64, frame: UInt64)) {
            var marked = MarkedLog("", frames: (4, durable.frame))
            marked.state(durable.state)
            marked.mark(6, in: 1)
            marked.mark(durable.mark, in: 2)
            let whole = DamagedLog(marked.image)
            // Each is whole, or nothing, or another's.
            let places: [(Damage.ToMark) -> Damage] = [
                { .state(0, $0) }, { .state(1, $0) }, { .mark(1, 1, $0) }, { .mark(2, 0, $0) }, { .mark(2, 1, $0) },
            ]
            let kinds: [[Damage.ToMark]] = [[.bit, .torn, .zeroed], [.foreign, .strayed]]
            let breaks: [Damage?] =
                [nil, .header(2, .bit), .footer(1, .trailerBit), .missing(2)]
                + marked.frames.map { .frame($0, $1, .payloadBit) }
            let rows = Self.sample(80, of: 243 * breaks.count, seed: durable.mark)
            Self.check(
                rows.lazy.map { row in
                    var random = SeededGenerator(seed: UInt64(row))
                    var choice = row / breaks.count
                    var damage: [Damage] = []
                    for place in places {
                        if choice % 3 > 0 {
                            let kind = kinds[choice % 3 - 1]
                            damage.append(place(kind[Int(random.next() % UInt64(kind.count))]))
                        }
                        choice /= 3
                    }
                    if let broken = breaks[row % breaks.count] { damage.append(broken) }
                    return whole.damaged(by: damage)
                }, table: Int(durable.mark))
        }

        @Test("several things are wrong", arguments: MarkedLog.all)
        func several(_ marked: MarkedLog) {
            let whole = DamagedLog(marked.image)
            let all = marked.singles + marked.markSingles
            Self.check(
                (0..<(fullTable ? 2_000 : 12)).lazy.map { row in
                    var random = SeededGenerator(seed: UInt64(1_000 * row + marked.number))
                    // Each once: a bit that is turned over twice is whole.
                    let some = Set(
                        (0..<(2 + Int(random.next() % 4))).map { _ in Int(random.next() % UInt64(all.count)) })
                    return whole.damaged(by: some.sorted().map { all[$0] })
                }, table: marked.number)
        }

        @Test(
            "the table notices where a safety measure is left out", arguments: [SafetyMeasures.checksum, .incarnation])
        func measures(_ measure: SafetyMeasures) throws {
            let marked = try #require(MarkedLog.all.last)
            let whole = DamagedLog(marked.image)
            let noticed = marked.singles.contains { damage in
                var check = DamageCheck(whole.damaged(by: [damage]))
                check.disabled = measure
                return !check.complaints().isEmpty
            }
            #expect(noticed)
        }

        /// What the oracle says, by hand: that it is right is what all the others rest on.
        @Test("the oracle's own table")
        func oracle() {
            func ends(_ lsn: UInt64, _ bytes: ClosedRange<Int>) -> DamageOracle.Outcome { .ends(lsn, dropping: bytes) }
            func bad(_ segment: UInt64, _ offset: Int, _ lsn: UInt64) -> DamageOracle.Outcome {
                .refused(.init(code: .corrupt, segment: segment, offset: offset, lsn: lsn))
            }
            func missing(_ lsn: UInt64) -> DamageOracle.Outcome {
                .refused(.init(code: .missing, segment: lsn, offset: nil, lsn: lsn))
            }
            let rows: [(mark: String, damage: [Damage], tail: DamageOracle.Outcome, full: DamageOracle.Outcome)] = [
                // Whole: nothing is dropped.
                ("no mark", [], ends(14, 0...0), ends(14, 0...0)),
                // The last record, of 48 bytes, is torn; cut off, half of it is there.
                ("no mark", [.frame(2, 4, .payloadBit)], ends(13, 48...48), ends(13, 48...48)),
                ("no mark", [.frame(2, 4, .zeroed)], ends(13, 0...0), ends(13, 0...0)),
                ("no mark", [.frame(2, 4, .cutOff)], ends(13, 24...24), ends(13, 24...24)),
                ("STATE 12", [.frame(2, 4, .payloadBit)], ends(13, 48...48), ends(13, 48...48)),
                ("STATE 13", [.frame(2, 4, .payloadBit)], bad(9, 12_528, 13), bad(9, 12_528, 13)),
                // Nothing says that the batch of 11 and 12 was durable, and what is behind it goes too.
                ("mark 10", [.frame(2, 3, .sumBit)], ends(11, 144...144), ends(11, 144...144)),
                ("mark 12", [.frame(2, 3, .sumBit)], ends(14, 0...0), bad(9, 12_432, 11)),
                // Below the mark an open that reads the tail sees nothing.
                ("mark 12", [.frame(0, 0, .lsnBit)], ends(14, 0...0), bad(1, 12_288, 1)),
                ("STATE 5", [.frame(0, 0, .lsnBit)], ends(14, 0...0), bad(1, 12_288, 1)),
                // The footer behind a last record that was durable may not be durable.
                ("STATE 4", [.frame(0, 0, .lsnBit)], bad(1, 12_288, 1), bad(1, 12_288, 1)),
                ("STATE 2", [.frame(0, 0, .lsnBit)], bad(1, 12_288, 1), bad(1, 12_288, 1)),
                // The mark that counts 9 is a frame behind the damage; damaged itself, it does not count.
                ("mark frames (5, 9)", [.frame(2, 0, .payloadBit)], bad(9, 12_288, 9), bad(9, 12_288, 9)),
                ("mark frames (5, 9)", [.frame(2, 1, .payloadBit)], ends(10, 240...240), ends(10, 240...240)),
                // A segment in the middle, its header, its footer.
                ("STATE 5", [.missing(1)], missing(5), missing(5)),
                ("STATE 4", [.missing(1)], ends(5, 288...13_088), ends(5, 288...13_088)),
                ("STATE 5", [.header(1, .bit)], bad(5, 0, 5), bad(5, 0, 5)),
                ("STATE 9", [.footer(1, .trailerBit)], bad(5, 12_528, 9), bad(5, 12_528, 9)),
                // The newest slot of STATE is torn: the other one counts 12.
                ("STATE 13", [.state(0, .torn), .frame(2, 4, .kindBit)], ends(13, 48...48), ends(13, 48...48)),
                ("STATE 13", [.state(1, .torn), .frame(2, 4, .kindBit)], bad(9, 12_528, 13), bad(9, 12_528, 13)),
                // The newest mark is another segment's: the other one counts 12.
                ("mark 13", [.mark(2, 1, .foreign), .frame(2, 4, .kindBit)], ends(13, 48...48), ends(13, 48...48)),
                // A closed log has no window.
                ("closed", [.frame(2, 4, .payloadBit)], ends(14, 0...0), bad(9, 12_528, 13)),
                ("closed", [.missing(2)], missing(9), missing(9)),
            ]
            for row in rows {
                guard let marked = MarkedLog.all.first(where: { $0.name == row.mark }) else {
                    Issue.record("there is no \(row.mark)")
                    continue
                }
                let oracle = DamageOracle(DamagedLog(marked.image).damaged(by: row.damage))
                #expect(oracle.outcome(readsAll: false) == row.tail, "\(row.mark), \(row.damage)")
                #expect(oracle.outcome(readsAll: true) == row.full, "\(row.mark), \(row.damage)")
            }
        }
    }
}
