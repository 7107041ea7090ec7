/// The first page of a segment file: written once, before any frame, and never again.
package struct SegmentHeader: Equatable, Sendable {
    package var partition: PartitionID
    package var firstLSN: UInt64
    package var epoch: UInt64
    package var salt: UInt64
    /// Nanoseconds since 1970.
    package var created: UInt64
    package var codecID: UInt32
    package var codecName: String
    package var codecParameters: [UInt8]
    package var typeName: String
    /// What the records look like, for people; empty where the type does not say, or where it does not fit.
    package var schema = ""

    package init(
        partition: PartitionID, firstLSN: UInt64, epoch: UInt64, salt: UInt64, created: UInt64, codecID: UInt32,
        codecName: String, codecParameters: [UInt8], typeName: String, schema: String = ""
    ) {
        self.partition = partition
        self.firstLSN = firstLSN
        self.epoch = epoch
        self.salt = salt
        self.created = created
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
    private static let fixedSize = 64
    package static let saltOffset: UInt64 = 40

    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(FileFormat.headerSize)
        bytes.append(integer: FileFormat.headerMagic)
        bytes.append(integer: FileFormat.version)
        bytes.append(integer: UInt32(FileFormat.dataStart))
        bytes.append(integer: UInt32(0))  // flags: none in version 1
        bytes.append(integer: UInt32(partition.rawValue))
        bytes.append(integer: firstLSN)
        bytes.append(integer: epoch)
        bytes.append(integer: salt)
        bytes.append(integer: created)
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
        bytes.store(UInt32(bytes.count - Self.fixedSize), at: 60)
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
        guard let version: UInt32 = reader.integer(8), let areaSize: UInt32 = reader.integer(60) else {
            throw corrupt("is cut short")
        }
        let end = Self.fixedSize + Int(areaSize)
        guard end <= FileFormat.headerSize - 4, let summed = reader.slice(0, end), let sum: UInt32 = reader.integer(end)
        else { throw corrupt("states a length that it can't have") }
        guard crc32c(summed) == sum else { throw corrupt("fails its checksum") }
        guard version == FileFormat.version else {
            throw WalError(
                .unsupportedFormat,
                "the segment has format version \(version), this release reads \(FileFormat.version); use a newer release"
            )
        }
        guard let dataStart: UInt32 = reader.integer(12), dataStart == UInt32(FileFormat.dataStart),
            let flags: UInt32 = reader.integer(16), flags == 0
        else {
            throw WalError(.unsupportedFormat, "the segment's header has flags that this release does not know")
        }
        guard let number: UInt32 = reader.integer(20), let partition = PartitionID(exactly: number),
            let firstLSN: UInt64 = reader.integer(24), firstLSN >= 1, firstLSN <= LSN.max.rawValue,
            let epoch: UInt64 = reader.integer(32), epoch >= 1, epoch <= FileFormat.largestCounter,
            let salt: UInt64 = reader.integer(40), let created: UInt64 = reader.integer(48),
            let codecID: UInt32 = reader.integer(56)
        else { throw corrupt("holds a number out of range") }
        self.init(
            partition: partition, firstLSN: firstLSN, epoch: epoch, salt: salt, created: created, codecID: codecID,
            codecName: "", codecParameters: [], typeName: "")
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
