/// Frames that wait in memory for the next sync.
struct StagingBuffer {
    /// Beyond it frames go the way of those that are not synced.
    static let capacity = StagingPool.bufferSize

    private var memory: UnsafeMutableRawPointer?
    /// File offset of its first byte.
    private(set) var start: UInt64 = 0
    private(set) var count = 0
    /// The LSN that comes after the frames before it.
    private(set) var firstLSN: UInt64 = 0
    /// The last LSN in it.
    private(set) var lastLSN: UInt64 = 0
    private(set) var records: UInt64 = 0
    /// It begins with a mark, which is owed again if it is taken back.
    private(set) var hasMark = false
    private(set) var segment: Segment?

    var isEmpty: Bool { count == 0 }
    var end: UInt64 { start + UInt64(count) }
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: count) }

    mutating func begin(at offset: UInt64, in segment: Segment, nextLSN: UInt64) {
        start = offset
        count = 0
        records = 0
        hasMark = false
        firstLSN = nextLSN
        lastLSN = nextLSN - 1
        self.segment = segment
    }

    func hasRoom(_ total: Int) -> Bool { total <= Self.capacity - count }

    /// False where there is no memory: too many partitions stage frames just now.
    mutating func prepare(from pool: StagingPool) -> Bool {
        if memory == nil { memory = pool.take() }
        return memory != nil
    }

    /// Room for a frame; the caller fills it. `hasRoom` and `prepare` must have said yes.
    mutating func extend(_ total: Int, lastLSN: UInt64, records: UInt64) -> UnsafeMutableRawPointer {
        guard let memory else { preconditionFailure("no memory to stage \(total) bytes in") }
        precondition(hasRoom(total), "\(total) bytes do not fit behind \(count)")
        defer { count += total }
        self.lastLSN = lastLSN
        self.records += records
        if records == 0 { hasMark = true }
        return memory + count
    }

    mutating func clear() {
        count = 0
        segment = nil
    }

    /// Gives the memory back, and whatever is in it up.
    mutating func free(to pool: StagingPool) {
        if let memory { pool.give(memory) }
        memory = nil
        clear()
    }
}

/// The memory that staged frames of all partitions share: a partition has some only between an append and the end of its sync.
final class StagingPool: @unchecked Sendable {
    // Sendable: guarded by `state`; a buffer that was taken is its taker's.
    static let bufferSize = 1 << 20
    /// Beyond it appends go the way of those that are not synced, and then wait.
    static let limit = 64
    /// A burst of one partition after the other needs no more.
    private static let kept = 4

    private struct State {
        var free: [UnsafeMutableRawPointer] = []
        var taken = 0
    }
    private let state = Locked(State())

    deinit { state.withLock { $0.free.forEach { $0.deallocate() } } }

    func take() -> UnsafeMutableRawPointer? {
        state.withLock { state in
            guard state.taken < Self.limit else { return nil }
            state.taken += 1
            return state.free.popLast() ?? .allocate(byteCount: Self.bufferSize, alignment: 16)
        }
    }

    func give(_ memory: UnsafeMutableRawPointer) {
        let surplus = state.withLock { state -> UnsafeMutableRawPointer? in
            state.taken -= 1
            guard state.free.count < Self.kept else { return memory }
            state.free.append(memory)
            return nil
        }
        surplus?.deallocate()
    }

    var taken: Int { state.withLock { $0.taken } }
}
