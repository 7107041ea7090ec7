internal import WriteAheadLog

/// Changes a log's files as an input says, and makes the checksums right again, so that what lies behind them is reached.
struct LogEditor {
    private(set) var files: [String: [UInt8]]
    /// The files that inputs change, in a stated order.
    private var names: [String]
    /// Where frames start, before any change.
    private var frames: [String: [Int]] = [:]

    init(_ sample: [String: [UInt8]]) {
        files = sample
        names = sample.keys.filter { !$0.hasSuffix("LOCK") }.sorted()
        for name in names where name.hasSuffix(".wal") { frames[name] = Self.frameStarts(sample[name] ?? []) }
    }

    private static func frameStarts(_ bytes: [UInt8]) -> [Int] {
        var starts: [Int] = []
        var offset = Int(FileFormat.dataStart)
        while offset + FileFormat.frameHeaderSize <= bytes.count {
            let length = Int(FrameFinder.integer(bytes, offset) as UInt32)
            guard length >= FileFormat.frameHeaderSize, length <= bytes.count - offset else { break }
            starts.append(offset)
            offset += FileFormat.padded(length)
        }
        return starts
    }

    mutating func edit(_ input: inout FuzzInput) {
        for _ in 0..<24 where !input.isAtEnd { change(&input) }
    }

    private mutating func change(_ input: inout FuzzInput) {
        let operation = input.byte()
        guard !names.isEmpty else { return }
        let name = names[Int(operation >> 5) % names.count]
        guard var bytes = files[name] else { return }
        switch operation & 31 {
        case 0: store(UInt8(truncatingIfNeeded: input.byte()), place(&input, bytes), &bytes)
        case 1: store(UInt16(truncatingIfNeeded: input.number()), place(&input, bytes), &bytes)
        case 2: store(UInt32(truncatingIfNeeded: input.number()), place(&input, bytes), &bytes)
        case 3: store(input.number(), place(&input, bytes), &bytes)
        case 4:
            let at = place(&input, bytes)
            if at < bytes.count { bytes[at] ^= 1 << (input.byte() & 7) }
        case 5: bytes.removeLast(min(bytes.count, input.short()))
        case 6: bytes.removeLast(bytes.count - min(bytes.count, place(&input, bytes)))
        case 7:
            let at = min(place(&input, bytes), bytes.count)
            bytes.removeSubrange(at..<min(at + input.short(), bytes.count))
        case 8:
            let at = min(place(&input, bytes), bytes.count)
            let count = Int(input.byte())
            bytes.insert(contentsOf: input.bytes(count), at: at)
        case 9:
            let at = min(place(&input, bytes), bytes.count)
            for k in at..<min(at + input.short(), bytes.count) { bytes[k] = 0 }
        case 10:
            let from = min(place(&input, bytes), bytes.count)
            let part = Array(bytes[from..<min(from + Int(input.byte()) * 8, bytes.count)])
            let to = min(place(&input, bytes), bytes.count)
            bytes.replaceSubrange(to..<min(to + part.count, bytes.count), with: part)
        case 11: bytes.append(contentsOf: [UInt8](repeating: input.byte(), count: Int(input.byte()) * 16))
        case 12:
            files[name] = nil
            return
        case 13, 14:
            let other = "partition-00001/" + FileFormat.segmentName(input.number() % (1 << 57))
            files[other] = bytes
            if operation & 31 == 13 { files[name] = nil }
            names = files.keys.filter { !$0.hasSuffix("LOCK") }.sorted()
            frames[other] = frames[name]
            return
        case 15...22: setField(&input, name, &bytes)
        case 23: setState(&input)
        default: setHeader(&input, &bytes)
        }
        if files[name] != nil || operation & 31 < 23 { files[name] = bytes }
    }

    /// Mostly where something stands.
    private func place(_ input: inout FuzzInput, _ bytes: [UInt8]) -> Int {
        let choice = input.short()
        let rest = choice >> 2
        switch choice & 3 {
        case 0: return rest & 0xFF
        case 1: return 4096 + (rest & 1) * 4096 + (rest >> 1 & 0x7F)
        case 2: return Int(FileFormat.dataStart) + rest
        default: return max(0, bytes.count - rest)
        }
    }

    private func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, _ place: Int, _ bytes: inout [UInt8]) {
        if place >= 0, place + MemoryLayout<T>.size <= bytes.count { bytes.store(value, at: place) }
    }

    /// A frame's length, kind, LSN, or one of the words of its payload.
    private func setField(_ input: inout FuzzInput, _ name: String, _ bytes: inout [UInt8]) {
        guard let starts = frames[name], !starts.isEmpty else { return }
        let frame = starts[Int(input.byte()) % starts.count]
        let field = input.byte()
        let value = input.number()
        switch field % 8 {
        case 0: store(UInt32(truncatingIfNeeded: value), frame, &bytes)
        case 1: store(UInt8(truncatingIfNeeded: value), frame + 15, &bytes)
        case 2: store(value, frame + 8, &bytes)
        case 3: store(UInt32(truncatingIfNeeded: value), frame + 16, &bytes)
        case 4: store(UInt32(truncatingIfNeeded: value), frame + 20, &bytes)
        default: store(value, frame + 16 + 8 * Int(field / 8), &bytes)
        }
    }

    private mutating func setState(_ input: inout FuzzInput) {
        let field = input.byte()
        let value = input.number()
        for (name, var bytes) in files where name.hasSuffix("STATE") {
            store(value, Int(field >> 7) * 4096 + 16 + 8 * Int(field & 0x3F), &bytes)
            files[name] = bytes
        }
    }

    private func setHeader(_ input: inout FuzzInput, _ bytes: inout [UInt8]) {
        let field = input.byte()
        let value = input.number()
        // Header words, then those of the marks.
        let places = [
            8, 12, 16, 20, 24, 32, 40, 48, 64, 72, 80, 84, 88, 90, 4112, 4120, 4128, 4136, 8208, 8216, 8224, 8232,
        ]
        let place = places[Int(field) % places.count]
        if place < 24 || (80..<88).contains(place) {
            store(UInt32(truncatingIfNeeded: value), place, &bytes)
        } else if place == 88 || place == 90 {
            store(UInt16(truncatingIfNeeded: value), place, &bytes)
        } else {
            store(value, place, &bytes)
        }
    }

    // MARK: Checksums

    mutating func mendSums() {
        for (name, bytes) in files {
            var bytes = bytes
            if name.hasSuffix("STATE") {
                for slot in [0, 4096] where bytes.count >= slot + 4096 && bytes[slot] != 0 {
                    bytes.store(bytes.crc32c(slot..<(slot + 4092)), at: slot + 4092)
                }
            } else if name.hasSuffix(".wal") {
                Self.mendSegment(&bytes)
            } else if name == "LOG", bytes.count >= 64 {
                bytes.store(bytes.crc32c(0..<60), at: 60)
            }
            files[name] = bytes
        }
    }

    static func mendSegment(_ bytes: inout [UInt8]) {
        guard bytes.count >= 4096 else { return }
        let end = 88 + Int(min(FrameFinder.integer(bytes, 84) as UInt32, 4_004))
        bytes.store(bytes.crc32c(0..<end), at: end)
        let salt: UInt64 = FrameFinder.integer(bytes, 48)
        for place in [4096, 8192] where bytes.count >= place + 80 && bytes[place] != 0 {
            bytes.store(bytes.crc32c(place..<(place + 76)), at: place + 76)
        }
        var offset = Int(FileFormat.dataStart)
        while offset + FileFormat.frameHeaderSize <= bytes.count {
            let length: UInt32 = FrameFinder.integer(bytes, offset)
            let padded = FileFormat.padded(Int(length))
            guard length >= 16, padded <= bytes.count - offset else { break }
            let word: UInt64 = FrameFinder.integer(bytes, offset + 8)
            let payload = bytes.crc32c((offset + 16)..<(offset + padded))
            bytes.store(frameChecksum(payload: payload, length: length, word: word, salt: salt), at: offset + 4)
            offset += padded
        }
        let trailer = bytes.count - FileFormat.trailerSize
        if trailer >= Int(FileFormat.dataStart), FrameFinder.integer(bytes, trailer) == FileFormat.trailerMagic {
            bytes.store(bytes.crc32c(trailer..<(trailer + 28)), at: trailer + 28)
        }
    }
}
