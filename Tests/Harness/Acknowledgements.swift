import Foundation

/// What a writer says while it works, a line each: to be believed even if it is killed right behind.
///
/// Each line is one `write` to a file that is opened for appending, so that it is there whole or not at all.
enum Acknowledgement: Equatable {
    /// A process began.
    case run(UInt32)
    /// The log was opened and holds these records: from now on all of them are durable.
    case opened(partition: UInt16, first: UInt64, last: UInt64)
    /// An append returned.
    case appended(partition: UInt16, first: UInt64, Ledger.Operation)
    /// The same, and it was to be synced.
    case synced(partition: UInt16, first: UInt64, Ledger.Operation)
    /// A sync returned that began when this LSN was the last.
    case syncedUpTo(partition: UInt16, last: UInt64)
    /// A purge of what is before this LSN is about to begin.
    case purging(partition: UInt16, before: UInt64)
    /// It returned, and this is the first that is kept.
    case purged(partition: UInt16, first: UInt64)
    /// An append was refused for want of space.
    case refused(partition: UInt16, author: Sample.Author, operation: UInt32)

    var line: String {
        func operation(_ letter: String, _ partition: UInt16, _ first: UInt64, _ it: Ledger.Operation) -> String {
            "\(letter) \(partition) \(first) \(it.count) \(it.author.run) \(it.author.task) \(it.number)\n"
        }
        return switch self {
        case .run(let number): "b \(number)\n"
        case .opened(let partition, let first, let last): "o \(partition) \(first) \(last)\n"
        case .appended(let partition, let first, let it): operation("a", partition, first, it)
        case .synced(let partition, let first, let it): operation("s", partition, first, it)
        case .syncedUpTo(let partition, let last): "y \(partition) \(last)\n"
        case .purging(let partition, let before): "q \(partition) \(before)\n"
        case .purged(let partition, let first): "p \(partition) \(first)\n"
        case .refused(let partition, let author, let operation):
            "f \(partition) \(author.run) \(author.task) \(operation)\n"
        }
    }

    /// Nil where the line is none.
    init?(_ line: Slice<UnsafeRawBufferPointer>) {
        guard let letter = line.first, line.count >= 3 else { return nil }
        var numbers: [UInt64] = []
        var value: UInt64 = 0
        for byte in line.dropFirst(2) {
            if byte == UInt8(ascii: " ") {
                numbers.append(value)
                value = 0
            } else {
                guard (48...57).contains(byte) else { return nil }
                value = value &* 10 &+ UInt64(byte - 48)
            }
        }
        numbers.append(value)
        let partition = UInt16(truncatingIfNeeded: numbers[0])
        switch (Character(Unicode.Scalar(letter)), numbers.count) {
        case ("b", 1): self = .run(UInt32(truncatingIfNeeded: numbers[0]))
        case ("o", 3): self = .opened(partition: partition, first: numbers[1], last: numbers[2])
        case ("a", 6): self = .appended(partition: partition, first: numbers[1], .init(numbers[2...]))
        case ("s", 6): self = .synced(partition: partition, first: numbers[1], .init(numbers[2...]))
        case ("y", 2): self = .syncedUpTo(partition: partition, last: numbers[1])
        case ("q", 2): self = .purging(partition: partition, before: numbers[1])
        case ("p", 2): self = .purged(partition: partition, first: numbers[1])
        case ("f", 4):
            self = .refused(
                partition: partition,
                author: .init(
                    run: UInt32(truncatingIfNeeded: numbers[1]), task: UInt16(truncatingIfNeeded: numbers[2])),
                operation: UInt32(truncatingIfNeeded: numbers[3]))
        default: return nil
        }
    }

    /// Says it on standard output.
    func say() {
        var text = line
        text.withUTF8 { bytes in
            guard write(1, bytes.baseAddress, bytes.count) == bytes.count else {
                complain("an acknowledgement could not be written: \(String(cString: strerror(errno)))")
                exit(3)
            }
        }
    }
}

extension Ledger.Operation {
    /// From a line's count, run, task and number.
    fileprivate init(_ numbers: ArraySlice<UInt64>) {
        let at = numbers.startIndex
        self.init(
            author: .init(
                run: UInt32(truncatingIfNeeded: numbers[at + 1]), task: UInt16(truncatingIfNeeded: numbers[at + 2])),
            number: UInt32(truncatingIfNeeded: numbers[at + 3]), count: UInt16(truncatingIfNeeded: numbers[at]))
    }
}
