internal import WriteAheadLog

/// Makes a log's files from nothing: every structure is well formed, and holds what the input says.
enum LogComposer {
    private static let logID = LogID(high: 0x1122_3344_5566_7788, low: 0x99AA_BBCC_DDEE_FF00)

    static func compose(_ input: inout FuzzInput) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = ["LOCK": [], "LOG": LogFile(id: logID, created: 1).encoded()]
        let partition = PartitionID(rawValue: 1)
        var next: UInt64 = 1
        let segments = 1 + Int(input.byte() & 3)
        let state = state(partition, &input)
        if let state { next = state.firstRetained }
        for number in 0..<segments {
            let flags = input.byte()
            let first = flags & 1 == 0 ? next : input.number()
            let named = flags & 2 == 0 ? first : input.number()
            let (bytes, last) = segment(partition, first, UInt64(number + 1), flags, &input)
            next = last
            files["partition-00001/" + FileFormat.segmentName(named)] = bytes
        }
        if let state {
            var bytes = [UInt8](repeating: 0, count: Int(PartitionState.fileSize))
            bytes.replaceSubrange(
                Int(state.place)..<(Int(state.place) + PartitionState.slotSize), with: state.encoded())
            files["partition-00001/STATE"] = bytes
        }
        return files
    }

    private static func state(_ partition: PartitionID, _ input: inout FuzzInput) -> PartitionState? {
        let flags = input.byte()
        guard flags & 1 == 0 else { return nil }
        var state = PartitionState(partition: partition, logID: logID)
        if flags & 2 != 0 { state.sequence = input.number() }
        if flags & 4 != 0 { (state.history, state.incarnation) = (input.number(), input.number()) }
        if flags & 8 != 0 { state.oldestIncarnation = input.number() }
        if flags & 16 != 0 { (state.firstRetained, state.firstVisible) = (input.number(), input.number()) }
        if flags & 32 != 0 { state.nextLSNFloor = input.number() }
        if flags & 64 != 0 { state.durable = input.number() }
        if flags & 128 != 0 {
            for _ in 0..<(Int(input.byte()) % 8) {
                state.note(history: input.number(), firstLSN: input.number())
            }
            let flags = input.byte()
            state.isClean = flags & 1 == 0
            state.isRemoved = flags & 6 == 6
        }
        return state
    }

    private static func segment(
        _ partition: PartitionID, _ first: UInt64, _ number: UInt64, _ flags: UInt8, _ input: inout FuzzInput
    ) -> (bytes: [UInt8], next: UInt64) {
        let header = SegmentHeader(
            partition: partition, firstLSN: first, history: flags & 4 == 0 ? number : input.number(),
            incarnation: flags & 4 == 0 ? number : input.number(),
            salt: flags & 8 == 0 ? first &* 0x9E37_79B9_7F4A_7C15 : input.number(), created: 1, logID: logID,
            codecID: 0,
            codecName: "bytes", codecParameters: flags & 16 == 0 ? [] : input.bytes(Int(input.byte())),
            typeName: "bytes")
        var bytes = header.encoded()
        bytes.append(contentsOf: repeatElement(0, count: Int(FileFormat.dataStart) - bytes.count))
        var marks: [(place: Int, durable: UInt64?, end: UInt64?, history: UInt64?)] = []
        if flags & 32 != 0 {
            for place in FileFormat.markOffsets {
                let what = input.byte()
                marks.append(
                    (
                        Int(place), what & 1 == 0 ? nil : input.number(), what & 2 == 0 ? nil : input.number(),
                        what & 4 == 0 ? nil : input.number()
                    ))
            }
        }
        var next = first
        // Where records start, for marks and the footer to point at.
        var places: [(lsn: UInt64, offset: UInt64)] = []
        frames: for _ in 0..<64 where !input.isAtEnd {
            let kind = input.byte()
            places.append((next, UInt64(bytes.count)))
            let lsn = kind & 0x80 == 0 ? next : input.number()
            switch kind & 15 {
            case 0...5:
                let count = Int(input.byte())
                frame(FrameKind.record, lsn, input.bytes(count), header.salt, &bytes)
                next &+= 1
            case 6...9:
                let batch = batch(&input)
                frame(FrameKind.batch, lsn, batch.payload, header.salt, &bytes)
                next &+= batch.count
            case 10, 11:
                var mark = SegmentMark(
                    salt: header.salt, history: header.history, durable: next &- 1, endOffset: UInt64(bytes.count),
                    sequence: 0)
                if kind & 0x40 != 0 { mark.durable = input.number() }
                if kind & 0x20 != 0 { mark.endOffset = input.number() }
                let at = kind & 0x10 == 0 ? UInt64(bytes.count) : input.number()
                bytes.append(contentsOf: mark.frame(at: at, nextLSN: lsn & LSN.max.rawValue))
            case 12:
                frame(input.byte(), lsn, input.bytes(Int(input.byte())), header.salt, &bytes)
            case 13: bytes.append(contentsOf: input.bytes(Int(input.byte())))
            case 14:
                let opaque = opaque(&input)
                frame(opaque.kind, lsn, opaque.payload, header.salt, &bytes)
                next &+= opaque.count
            default: break frames
            }
        }
        for (number, choice) in marks.enumerated() {
            let at = places.isEmpty ? nil : places[(number + 1) * places.count / (marks.count + 1)]
            var mark = SegmentMark(
                salt: header.salt, history: choice.history ?? header.history,
                durable: choice.durable ?? (at?.lsn ?? first) &- 1,
                endOffset: choice.end ?? at?.offset ?? FileFormat.dataStart, sequence: UInt64(number))
            (mark.partition, mark.firstLSN, mark.logID) = (partition, first, logID)
            bytes.replaceSubrange(choice.place..<(choice.place + FileFormat.markSize), with: mark.encoded())
        }
        if flags & 64 == 0 { footer(header, next, places, &input, &bytes) }
        if flags & 128 != 0 { bytes.append(contentsOf: repeatElement(0, count: Int(input.byte()) * 8)) }
        return (bytes, next)
    }

    private static func footer(
        _ header: SegmentHeader, _ next: UInt64, _ places: [(lsn: UInt64, offset: UInt64)], _ input: inout FuzzInput,
        _ bytes: inout [UInt8]
    ) {
        let flags = input.byte()
        var footer = SegmentFooter(
            recordCount: next &- header.firstLSN, lastLSN: next &- 1, dataEnd: UInt64(bytes.count), sealed: 2, index: []
        )
        if flags & 1 != 0 { footer.recordCount = input.number() }
        // One more is written as the frame's LSN.
        if flags & 2 != 0 { footer.lastLSN = input.number() }
        if footer.lastLSN == .max { footer.lastLSN -= 1 }
        if flags & 4 != 0 { footer.dataEnd = input.number() }
        if flags & 8 != 0 {
            for _ in 0..<(Int(input.byte()) % 8) {
                let choice = input.byte()
                let place = places.isEmpty ? nil : places[Int(choice) % places.count]
                footer.index.append(
                    IndexEntry(
                        lsn: choice & 0x80 == 0 ? place?.lsn ?? 0 : input.number(),
                        offset: choice & 0x40 == 0 ? place?.offset ?? 0 : input.number(), time: 0))
            }
        }
        bytes.append(contentsOf: footer.encoded(salt: header.salt))
    }

    private static func batch(_ input: inout FuzzInput) -> (payload: [UInt8], count: UInt64) {
        var payload: [UInt8] = []
        let records = Int(input.byte()) % 16
        let stated = input.byte() & 1 == 0 ? UInt32(records) : UInt32(truncatingIfNeeded: input.number())
        payload.append(integer: stated)
        for _ in 0..<records {
            let length = input.byte()
            let bytes = input.bytes(Int(length & 0x7F))
            payload.append(
                integer: length & 0x80 == 0 ? UInt32(bytes.count) : UInt32(truncatingIfNeeded: input.number()))
            payload.append(contentsOf: bytes)
        }
        return (payload, UInt64(stated))
    }

    /// Frames that only a codec or a key can take apart: their counts are all that the log goes by.
    private static func opaque(_ input: inout FuzzInput) -> (kind: UInt8, payload: [UInt8], count: UInt64) {
        let choice = input.byte()
        let content = input.bytes(Int(input.byte()))
        if choice & 3 == 0 { return (FrameKind.sealedRecord, content, 1) }
        let count = choice & 0x80 == 0 ? UInt32(choice >> 2) : UInt32(truncatingIfNeeded: input.number())
        var payload: [UInt8] = []
        payload.append(integer: count)
        let kinds = [FrameKind.codedBatch, FrameKind.sealedBatch, FrameKind.sealedCodedBatch]
        return (kinds[Int(choice & 3) - 1], payload + content, UInt64(count))
    }

    private static func frame(_ kind: UInt8, _ lsn: UInt64, _ payload: [UInt8], _ salt: UInt64, _ bytes: inout [UInt8])
    {
        let length = UInt32(FileFormat.frameHeaderSize + payload.count)
        let word = lsn & LSN.max.rawValue | UInt64(kind) << 56
        let sum = payload.withUnsafeBytes { payloadChecksum($0) }
        bytes.append(integer: length)
        bytes.append(integer: frameChecksum(payload: sum, length: length, word: word, salt: salt))
        bytes.append(integer: word)
        bytes.append(contentsOf: payload)
        bytes.append(contentsOf: repeatElement(0, count: FileFormat.padded(bytes.count) - bytes.count))
    }
}
