internal import WalTesting
package import WriteAheadLog

/// What a history is made of, all from its seed.
package struct HistoryPlan: Sendable {
    /// What may go wrong beside crashes.
    package enum Trouble: Sendable, CaseIterable {
        case none, faults, fullDisk, lies
    }

    package var seed: UInt64
    package var trouble: Trouble
    package var partitions: Int
    package var lives: Int
    package var operationsPerLife: Int
    /// Records of one size, so that frames of one segment could stand in another's place; nil for many sizes.
    package var onlySize: Int?
    /// Crashes beside the history: at such an operation, what a crash would leave is looked at, and the history goes on.
    package var lookOnceIn: UInt64
    package var exposesFreedBlocks: Bool
    /// One operation of the disk in this many is suspended while others overtake it; nil for none.
    package var slowOnceIn: UInt64?
    /// Whether an operation that a closed log or a poisoned partition must not do is a violation itself; without, only what it
    /// leads to is one.
    package var judgesOperations: Bool
    package var disabled: SafetyMeasures

    /// - Parameter isSlow: half of the seeds make histories with slow operations.
    package init(seed: UInt64, disabled: SafetyMeasures = [], isSlow: Bool = true) {
        var random = SeededGenerator(seed: seed ^ 0x9A17)
        self.seed = seed
        self.disabled = disabled
        trouble =
            switch random.next() % 16 {
            case 0..<8: .none
            case 8..<13: .faults
            case 13, 14: .fullDisk
            default: .lies
            }
        partitions = [1, 1, 1, 2, 3, 6][Int(random.next() % 6)]
        lives = 2 + Int(random.next() % 4)
        operationsPerLife = [4, 12, 12, 30][Int(random.next() % 4)]
        onlySize = random.next() % 3 == 0 ? [24, 72, 496, 1000, 1008][Int(random.next() % 5)] : nil
        lookOnceIn = 56
        exposesFreedBlocks = random.next() % 2 == 0
        judgesOperations = true
        slowOnceIn = isSlow && random.next() % 2 == 0 ? [3, 8, 30][Int(random.next() % 3)] : nil
        // What overlaps a failure is the hardest to get right.
        if slowOnceIn != nil, trouble == .none, random.next() % 2 == 0 { trouble = .faults }
    }
}
