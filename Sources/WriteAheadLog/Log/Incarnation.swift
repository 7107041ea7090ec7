/// The number of an opening for writing: greater than every other that the log's files state, and one that two copies of a log which
/// are both opened do not share.
package enum Incarnation {
    /// 2020 and 2100, in nanoseconds since 1970: a clock beyond them is not believed.
    private static let plausible: Range<UInt64> = 1_577_836_800_000_000_000..<4_102_444_800_000_000_000
    private static let randomClockBits: UInt64 = 0xFFFF
    private static let largestStep: UInt64 = 1 << 36

    /// The clock's nanoseconds where they are plausible and greater than `newest`, their lowest 16 bits random; else a random step
    /// from `newest`. No clock can use them up: from 2100 on there are millions of the largest steps left.
    ///
    /// - Throws: `.outOfRange` where there is none left.
    package static func next(after newest: UInt64, clock: UInt64, random: UInt64) throws(WalError) -> UInt64 {
        let timed = clock & ~randomClockBits | random & randomClockBits
        if plausible.contains(clock), timed > newest { return timed }
        guard newest < FileFormat.largestCounter else {
            throw WalError(
                .outOfRange,
                "the log's files state the greatest incarnation that there is, so that it can't be opened for writing any more; copy its records into a new log"
            )
        }
        let steps = min(largestStep, FileFormat.largestCounter - newest)
        return newest + 1 + random % steps
    }
}
