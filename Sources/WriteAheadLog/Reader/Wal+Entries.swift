extension Wal.Partition {
    /// The records from `start` up to what is there when the reader gets to the end. Nothing is read before it is asked for.
    ///
    /// - Throws: `.purged`, `.outOfRange`, `.positionLost`, where `start` is not to be had.
    /// - Complexity: O(log n) to find the first record, O(1) where a position's hint is right.
    public func entries(from start: ReadStart = .first, upTo visibility: Visibility = .appended) throws(WalError)
        -> Entries
    {
        if log.shared.settings.isReadOnly { try log.refresh() }
        return Entries(partition: self, cursor: try RecordCursor(partition: log, start: start, visibility: visibility))
    }

    /// Records to be read once, or many times: each cursor begins anew.
    ///
    /// It is an `AsyncSequence` for the sake of `for try await`, though it never suspends. It is no `Sequence`, for an
    /// `IteratorProtocol` can't throw.
    public struct Entries: AsyncSequence {
        public typealias Element = Entry<Record>
        public typealias Failure = WalError
        let partition: Wal.Partition
        let cursor: RecordCursor

        public func makeCursor() -> Cursor { Cursor(partition: partition, records: cursor) }
        public func makeAsyncIterator() -> AsyncCursor { AsyncCursor(cursor: makeCursor()) }

        /// Calls `body` for each record.
        /// - Throws: what `body` throws, and ``WalError``.
        public func forEach(_ body: (Entry<Record>) throws -> Void) throws {
            var cursor = makeCursor()
            while let entry = try cursor.next() { try body(entry) }
        }

        /// Calls `body` for each record's bytes where they are: no copy, no decoding, no allocation.
        public func forEachPayload(_ body: (LSN, RawSpan) throws(WalError) -> Void) throws(WalError) {
            var records = cursor
            try records.forEachPayload(body)
        }
    }

    /// Reads one record after the other. Not to be shared between threads.
    public struct Cursor {
        let partition: Wal.Partition
        @usableFromInline var records: RecordCursor
        /// Decodes the records of `segment`.
        @usableFromInline var decoding: AnyWalCodec<Record>.Decoding

        init(partition: Wal.Partition, records: RecordCursor) {
            self.partition = partition
            self.records = records
            decoding = partition.codec.decoding
        }

        /// Where the next record starts.
        public var position: Position { records.position }

        /// The next record; nil at the end, where it may be asked again later.
        ///
        /// - Throws: `.corrupt`, `.purged`, `.decoding`. After `.decoding` the next call goes on with the record behind.
        @inlinable public mutating func next() throws(WalError) -> Entry<Record>? {
            guard try records.advance() else { return nil }
            if _slowPath(records.hasNewSegment) { try chooseCodec() }
            // What the entry says is read before the record is made, which then goes into it without a copy.
            let (lsn, position) = (records.lsn, records.behind)
            var decoder = WalDecoder(unsafeBytes: records.payload)
            do throws(WalError) {
                return Entry(lsn: LSN(lsn), record: try decode(&decoder), position: position)
            } catch {
                throw located(error)
            }
        }

        @inlinable @inline(__always)
        func decode(_ decoder: inout WalDecoder) throws(WalError) -> Record {
            let record = try decoding(&decoder)
            if _slowPath(decoder.remaining != 0) { try decoder.expectEnd() }
            return record
        }

        /// The next record's bytes, copied.
        public mutating func nextPayload() throws(WalError) -> (lsn: LSN, bytes: [UInt8])? {
            guard try records.advance() else { return nil }
            return (LSN(records.lsn), Array(records.payload))
        }

        /// For the first record of a segment: its header says how it is read.
        @usableFromInline @inline(never) mutating func chooseCodec() throws(WalError) {
            if let segment = records.segment {
                do throws(WalError) {
                    decoding = try partition.codecs.reader(for: segment.header).plain.decoding
                } catch {
                    throw partition.log.unreadable(error, segment).at(lsn: LSN(records.lsn))
                }
            }
            records.hasNewSegment = false
        }

        @usableFromInline @inline(never) func located(_ error: WalError) -> WalError {
            error.at(
                partition: partition.id, segment: records.segment.map { LSN($0.firstLSN) }, lsn: LSN(records.lsn)
            ).inSegment(writtenWith: records.segment?.header.schema ?? "", reading: Record.self)
        }
    }

    /// A ``Cursor`` for `for try await`. A type of its own, for in async code the protocol's `next` would hide the cursor's.
    public struct AsyncCursor: AsyncIteratorProtocol {
        public typealias Element = Entry<Record>
        public typealias Failure = WalError
        @usableFromInline var cursor: Cursor

        /// Never suspends.
        @inlinable public mutating func next(isolation: isolated (any Actor)?) async throws(WalError) -> Entry<Record>?
        {
            try cursor.next()
        }
    }
}
