import WriteAheadLog

/// Logs with everything in them that the format has and no writer of this release writes, byte by byte.
///
/// `Golden/v2-NAME` is each of them, kept for ever.
enum FormatSamples {
    static let salt: UInt64 = 0x0123_4567_89AB_CDEF

    /// LSN 1 to 12, of which 6 to 9 are lost.
    static var frames: LogImage {
        let skippable: UInt16 = 0x8001
        let frames: [LogImage.Frame] = [
            .record,
            .other(0x80, [UInt8](repeating: 7, count: 16), takes: 0),
            .wrapper(0, LogImage.payload(2), extras: [(skippable, [1, 2, 3]), (0xFFFF, [])], takes: 1),
            .batch(2),
            .other(0xBF, [], takes: 0),
            .wrapper(1, LogImage.batch(5, 1), extras: [(skippable, [UInt8](repeating: 9, count: 8))], takes: 1),
            .lost(6, 9),
            .mark(5, end: 12_640),
            .record,
            .wrapper(1, LogImage.batch(11, 2), extras: [(skippable + 1, [UInt8]("consumer".utf8))], takes: 2),
        ]
        var image = LogImage(segments: [.init(firstLSN: 1, salt: salt, incarnation: 10, frames: frames)])
        image.states[1] = .init(sequence: 3, durable: 12, isClean: true, incarnation: 10, histories: [(10, 1)])
        return image
    }
    static let framesHold: [UInt64] = [1, 2, 3, 4, 5, 10, 11, 12]

    /// LSN 1 to 3, the space after them recycled: what was there before, and a mark frame of another segment.
    static var terminated: LogImage {
        var segment = LogImage.Segment(firstLSN: 1, salt: salt, incarnation: 10, frames: [.record, .record, .record])
        segment.flags = 1
        segment.isSealed = false
        let old = LogImage.Segment(
            firstLSN: 90, salt: ~salt, incarnation: 4, frames: [.record, .mark(80, end: 12_288)])
        segment.rest = Array(LogImage.bytes(of: old).dropFirst(LogImage.dataStart)) + [1, 2, 3]
        var image = LogImage(segments: [segment])
        image.states[0] = .init(sequence: 2, durable: 2, incarnation: 10)
        return image
    }

    /// Removed: LSNs up to 4 were given out, and segments of before are still there.
    static var removed: LogImage {
        var image = LogImage(segments: [
            .init(firstLSN: 1, salt: salt, incarnation: 10, frames: [.record, .record]),
            .init(firstLSN: 3, salt: salt + 1, incarnation: 20, frames: [.record, .record], isSealed: false),
        ])
        image.states[1] = .init(
            sequence: 7, durable: 4, incarnation: 20, floor: 5, isRemoved: true, histories: [(10, 1), (20, 3)])
        return image
    }

    /// LSN 1 to 6, of which 1 to 3 are not visible. In history 10 LSN 5 to 9 were durable and taken back, as the mark of its segment does
    /// not know; history 20 begins with LSN 5.
    static var histories: LogImage {
        var image = LogImage(segments: [
            .init(firstLSN: 1, salt: salt, incarnation: 10, frames: [.record, .record, .record, .record]),
            .init(firstLSN: 5, salt: salt + 1, incarnation: 20, frames: [.record, .record]),
        ])
        image.segments[0].marks[0] = .init(durable: 9, end: LogImage.dataStart + 48)
        image.states[0] = .init(
            sequence: 4, durable: 6, isClean: true, incarnation: 20, firstVisible: 4, histories: [(10, 1), (20, 5)])
        return image
    }

    /// LSN 2 has something around it that is not known and may not be passed over.
    static var newer: LogImage {
        var image = LogImage(segments: [
            .init(
                firstLSN: 1, salt: salt, incarnation: 10,
                frames: [.record, .wrapper(0, LogImage.payload(2), extras: [(7, [1])], takes: 1), .record])
        ])
        image.states[1] = .init(sequence: 3, durable: 3, isClean: true, incarnation: 10)
        return image
    }

    static var all: [(name: String, image: LogImage)] {
        [
            ("frames", frames), ("terminated", terminated), ("removed", removed), ("histories", histories),
            ("newer", newer),
        ]
    }
}
