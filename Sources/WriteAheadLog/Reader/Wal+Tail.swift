extension Wal.Partition {
    /// The records from `start`, going on as more arrive; ends when the log is closed.
    ///
    /// - Parameter visibility: a tail shows what is durable, for what it has shown it can't take back. `.appended` shows records
    ///   earlier, which a loss of power may still undo.
    /// - Throws: as ``entries(from:upTo:)``.
    public func tail(from start: ReadStart = .first, upTo visibility: Visibility = .durable) throws(WalError) -> Tail {
        Tail(entries: try entries(from: start, upTo: visibility), visibility: visibility)
    }

    /// See ``tail(from:upTo:)``. It suspends only where no record is at hand.
    public struct Tail: AsyncSequence {
        public typealias Element = Entry<Record>
        public typealias Failure = WalError
        let entries: Entries
        let visibility: Visibility

        public func makeAsyncIterator() -> Iterator {
            Iterator(cursor: entries.makeCursor(), visibility: visibility)
        }

        public struct Iterator: AsyncIteratorProtocol {
            public typealias Element = Entry<Record>
            public typealias Failure = WalError
            var cursor: Cursor
            let visibility: Visibility

            /// Where the next record starts.
            public var position: Position { cursor.position }

            public mutating func next(isolation: isolated (any Actor)?) async throws(WalError) -> Entry<Record>? {
                let log = cursor.partition.log
                while true {
                    if let entry = try cursor.next() { return entry }
                    guard !Task.isCancelled else { return nil }
                    switch log.tailState() {
                    case .goesOn: break
                    case .failed(let error): throw error
                    case .ended:
                        // What was published before the end is shown before it.
                        return try cursor.next()
                    }
                    if log.shared.settings.isReadOnly {
                        try await log.pollForProgress()
                    } else {
                        await log.waitForProgress(visibility, beyond: cursor.records.nextLSN - 1)
                    }
                }
            }
        }
    }

    /// The partition's mark now, and whenever it has moved, as often as the reader asks: moves in between are skipped.
    ///
    /// The first is at hand at once. It ends with the mark that holds the failure, or when the log is closed.
    public func watch() -> Watch { Watch(log: log) }

    public struct Watch: AsyncSequence, Sendable {
        public typealias Element = Mark
        public typealias Failure = Never
        let log: PartitionLog

        public func makeAsyncIterator() -> Iterator { Iterator(log: log) }

        public struct Iterator: AsyncIteratorProtocol {
            public typealias Element = Mark
            public typealias Failure = Never
            let log: PartitionLog
            var last: Mark?

            public mutating func next(isolation: isolated (any Actor)?) async -> Mark? {
                while true {
                    if last?.failure != nil { return nil }
                    let mark = log.mark()
                    guard let previous = last else {
                        last = mark
                        return mark
                    }
                    if mark.appended > previous.appended || mark.durable > previous.durable || mark.failure != nil {
                        last = mark
                        return mark
                    }
                    guard !Task.isCancelled, case .goesOn = log.tailState() else { return nil }
                    await log.waitForAnyProgress(
                        appended: previous.appended.rawValue, durable: previous.durable.rawValue)
                }
            }
        }
    }
}

extension PartitionLog {
    enum TailState {
        case goesOn
        case failed(WalError)
        case ended
    }

    func tailState() -> TailState {
        if shared.isForked { return .failed(LogShared.forked(id)) }
        return withLock {
            switch phase {
            case .open: .goesOn
            case .poisoned(let error), .quarantined(let error): .failed(error)
            case .closed: .ended
            }
        }
    }

    /// Suspends until either number has grown, as ``waitForProgress(_:beyond:)``.
    func waitForAnyProgress(appended: UInt64, durable: UInt64) async {
        // `durable` never passes `appended`: while they differ it may move alone, so wait for whichever is first.
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.waitForProgress(.appended, beyond: appended) }
            group.addTask { await self.waitForProgress(.durable, beyond: durable) }
            await group.next()
            group.cancelAll()
        }
    }
}
