/// The first page of a segment file: written once, before any frame, and never again.
package struct SegmentHeader: Equatable, Sendable {
    package var partition: PartitionID
    package var firstLSN: UInt64
    /// Which records its LSNs mean: it changes when records may have been taken back.
    package var history: UInt64
    /// Of the opening that wrote it: greater than that of every earlier one.
    package var incarnation: UInt64
    package var salt: UInt64
    /// Nanoseconds since 1970.
    package var created: UInt64
    package var logID: LogID
    package var codecID: UInt32
    package var codecName: String
    package var codecParameters: [UInt8]
    package var typeName: String
    /// What the records look like, for people; empty where the type does not say, or where it does not fit.
    package var schema = ""
    /// The space after the frames may hold anything: 16 bytes of zeros end them. No writer of this release makes such a segment.
    package var endsAtTerminator = false

    package init(
        partition: PartitionID, firstLSN: UInt64, history: UInt64, incarnation: UInt64, salt: UInt64, created: UInt64,
        logID: LogID, codecID: UInt32, codecName: String, codecParameters: [UInt8], typeName: String,
        schema: String = ""
    ) {
        self.partition = partition
        self.firstLSN = firstLSN
        self.history = history
        self.incarnation = incarnation
        self.salt = salt
        self.created = created
        self.logID = logID
        self.codecID = codecID
        self.codecName = codecName
        self.codecParameters = codecParameters
        self.typeName = typeName
        self.schema = schema
    }

    /// Tags of the extensible area. One with the upper bit set may be skipped by a reader that does not know it.
    private enum Item {
        static let codecName: UInt16 = 1
        static let codecParameters: UInt16 = 2
        static let typeName: UInt16 = 3
        static let mayBeSkipped: UInt16 = 0x8000
        static let schema: UInt16 = 0x8001
    }
    private static let terminatorFlag: UInt32 = 1
    package static let fixedSize = 88
    package static let areaSizeOffset = 84
    package static let saltOffset: UInt64 = 48

    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(FileFormat.headerSize)
        bytes.append(integer: FileFormat.headerMagic)
        bytes.append(integer: FileFormat.version)
        bytes.append(integer: UInt32(FileFormat.dataStart))
        bytes.append(integer: endsAtTerminator ? Self.terminatorFlag : 0)
        bytes.append(integer: UInt32(partition.rawValue))
        bytes.append(integer: firstLSN)
        bytes.append(integer: history)
        bytes.append(integer: incarnation)
        bytes.append(integer: salt)
        bytes.append(integer: created)
        bytes.append(logID)
        bytes.append(integer: codecID)
        bytes.append(integer: UInt32(0))  // the area's length, below
        func item(_ tag: UInt16, _ content: [UInt8]) {
            bytes.append(integer: tag)
            bytes.append(integer: UInt16(content.count))
            bytes.append(contentsOf: content)
        }
        item(Item.codecName, Array(codecName.utf8))
        item(Item.codecParameters, codecParameters)
        item(Item.typeName, Array(typeName.utf8))
        // A help, which goes where it has no room.
        if !schema.isEmpty, schema.utf8.count <= Self.largestSchema,
            bytes.count + 4 + schema.utf8.count <= FileFormat.headerSize - 4
        {
            item(Item.schema, Array(schema.utf8))
        }
        bytes.store(UInt32(bytes.count - Self.fixedSize), at: Self.areaSizeOffset)
        bytes.append(integer: bytes.crc32c(0..<bytes.count))
        bytes.append(contentsOf: repeatElement(0, count: FileFormat.headerSize - bytes.count))
        return bytes
    }

    /// - Throws: `.corrupt` where it is not a whole header, `.unsupportedFormat` where it is a newer one.
    package init(decoding bytes: UnsafeRawBufferPointer) throws(WalError) {
        let reader = ByteReader(bytes)
        func corrupt(_ what: String) -> WalError { WalError(.corrupt, "the segment's header \(what)") }
        guard let magic: UInt64 = reader.integer(0), magic == FileFormat.headerMagic else {
            throw corrupt("does not begin as one: the file is foreign or damaged")
        }
        guard let version: UInt32 = reader.integer(8) else { throw corrupt("is cut short") }
        // Version 1 had its area elsewhere; all later ones keep the place of its length and of the checksum.
        let isFirst = version == 1
        let fixedSize = isFirst ? 64 : Self.fixedSize
        guard let areaSize: UInt32 = reader.integer(isFirst ? 60 : Self.areaSizeOffset) else {
            throw corrupt("is cut short")
        }
        let end = fixedSize + Int(areaSize)
        guard end <= FileFormat.headerSize - 4, let summed = reader.slice(0, end), let sum: UInt32 = reader.integer(end)
        else { throw corrupt("states a length that it can't have") }
        guard crc32c(summed) == sum else { throw corrupt("fails its checksum") }
        try FileFormat.check(version, of: "the segment")
        guard let dataStart: UInt32 = reader.integer(12), dataStart == UInt32(FileFormat.dataStart),
            let flags: UInt32 = reader.integer(16), flags & ~Self.terminatorFlag == 0
        else {
            throw WalError(
                .unsupportedFormat,
                "the segment's header has flags that this release does not know; use a newer release")
        }
        guard let number: UInt32 = reader.integer(20), let partition = PartitionID(exactly: number),
            let firstLSN: UInt64 = reader.integer(24), firstLSN >= 1, firstLSN <= LSN.max.rawValue,
            let history: UInt64 = reader.integer(32), FileFormat.isCounter(history),
            let incarnation: UInt64 = reader.integer(40), FileFormat.isCounter(incarnation),
            let salt: UInt64 = reader.integer(48), let created: UInt64 = reader.integer(56),
            let logID = reader.logID(64), let codecID: UInt32 = reader.integer(80)
        else { throw corrupt("holds a number out of range") }
        self.init(
            partition: partition, firstLSN: firstLSN, history: history, incarnation: incarnation, salt: salt,
            created: created, logID: logID, codecID: codecID, codecName: "", codecParameters: [], typeName: "")
        endsAtTerminator = flags & Self.terminatorFlag != 0
        var offset = Self.fixedSize
        while offset < end {
            guard let tag: UInt16 = reader.integer(offset), let size: UInt16 = reader.integer(offset + 2),
                Int(size) <= end - offset - 4, let content = reader.slice(offset + 4, Int(size))
            else { throw corrupt("has an item that runs over its end") }
            switch tag {
            case Item.codecName: codecName = String(decoding: content, as: UTF8.self)
            case Item.codecParameters: codecParameters = Array(content)
            case Item.typeName: typeName = String(decoding: content, as: UTF8.self)
            // Nothing is read by it, so that one which is no text does no harm.
            case Item.schema: schema = String(validating: content, as: UTF8.self) ?? ""
            case Item.mayBeSkipped...: break
            default:
                throw WalError(
                    .unsupportedFormat, "the segment's header has an item \(tag) that this release does not know")
            }
            offset += 4 + Int(size)
        }
    }
}
