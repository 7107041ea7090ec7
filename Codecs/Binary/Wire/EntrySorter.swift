internal import WriteAheadLog

/// Puts what a dictionary or set wrote in hash order into the order that the format states.
enum EntrySorter {
    enum Order {
        /// A map: by the UTF-8 of the keys.
        case fields
        /// An array: by the elements' encoded bytes.
        case elements
        /// An array of keys and values by turns: by the keys' encoded bytes.
        case pairs
    }

    private struct Entry {
        var key: Range<Int>
        var all: Range<Int>
    }

    /// - Parameter starts: where each key and element begins; for pairs, where each value begins too. The last ends where the
    ///   encoder now is.
    static func sort(_ starts: ArraySlice<Int>, _ order: Order, in encoder: inout WalEncoder) {
        let step = order == .pairs ? 2 : 1
        // An odd number of pairs is a key whose value failed; the error is already on its way.
        guard let first = starts.first, starts.count > step, starts.count % step == 0 else { return }
        let base = UnsafeRawPointer(encoder.base)
        let end = encoder.count

        var entries: [Entry] = []
        entries.reserveCapacity(starts.count / step)
        for index in stride(from: starts.startIndex, to: starts.endIndex, by: step) {
            let next = index + step < starts.endIndex ? starts[index + step] : end
            let all = starts[index]..<next
            let key =
                switch order {
                case .fields: textContent(of: base, at: all)
                case .elements: all
                case .pairs: starts[index]..<starts[index + 1]
                }
            entries.append(Entry(key: key, all: all))
        }
        func isBefore(_ a: Entry, _ b: Entry) -> Bool {
            precedes(base, a.key, b.key) ?? (a.all.lowerBound < b.all.lowerBound)
        }
        if zip(entries, entries.dropFirst()).allSatisfy({ !isBefore($1, $0) }) { return }
        entries.sort(by: isBefore)

        var sorted: [UInt8] = []
        sorted.reserveCapacity(end - first)
        for entry in entries {
            sorted.append(
                contentsOf: UnsafeRawBufferPointer(start: base + entry.all.lowerBound, count: entry.all.count))
        }
        sorted.withUnsafeBytes { bytes in
            guard let source = bytes.baseAddress else { return }
            (encoder.base + first).copyMemory(from: source, byteCount: bytes.count)
        }
    }

    /// The bytes behind a text string's head, which this encoder itself wrote.
    private static func textContent(of base: UnsafeRawPointer, at range: Range<Int>) -> Range<Int> {
        var decoder = WalDecoder(
            unsafeBytes: UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
        guard let count = try? decoder.length(CBOR.text, "a key") else { return range }
        let start = range.lowerBound + decoder.offset
        return start..<min(start + count, range.upperBound)
    }

    /// Nil where both are the same.
    private static func precedes(_ base: UnsafeRawPointer, _ a: Range<Int>, _ b: Range<Int>) -> Bool? {
        for offset in 0..<min(a.count, b.count) {
            let x = base.load(fromByteOffset: a.lowerBound + offset, as: UInt8.self)
            let y = base.load(fromByteOffset: b.lowerBound + offset, as: UInt8.self)
            if x != y { return x < y }
        }
        return a.count == b.count ? nil : a.count < b.count
    }
}
