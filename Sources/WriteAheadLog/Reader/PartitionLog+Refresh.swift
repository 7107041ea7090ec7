extension PartitionLog {
    /// A reader beside a live writer: looks again at what the files hold. Segments that are known stay the same objects.
    func refresh() throws(WalError) {
        let found: PartitionRecovery.Result
        do throws(WalError) {
            found = try PartitionRecovery(id: id, shared: shared, directory: try openDirectory()).show()
        } catch {
            if error.code == .notFound, !exists { return }
            throw error
        }
        // The writer may have purged, or begun another history.
        state.withLock { $0 = found.state }
        withLock {
            exists = found.exists
            firstVisible = found.state.firstVisible
            segments = found.segments.map { fresh in
                guard let known = segments.first(where: { $0.header == fresh.header }) else { return fresh }
                if fresh.isSealed, !known.isSealed {
                    known.fileSize = fresh.fileSize
                    known.capacity = max(known.capacity, fresh.capacity)
                    known.setSealed(end: fresh.publishedEnd, lastLSN: fresh.lastLSN)
                } else if fresh.publishedEnd > known.publishedEnd {
                    known.publish(fresh.publishedEnd)
                    known.capacity = max(known.capacity, fresh.capacity)
                }
                return known
            }
            hot.pointee.nextLSN = max(hot.pointee.nextLSN, found.nextLSN)
            hot.pointee.appendedWord = max(hot.pointee.appendedWord, found.nextLSN - 1)
            hot.pointee.durableWord = max(hot.pointee.durableWord, found.durable)
            hot.pointee.history = max(hot.pointee.history, found.segments.last?.header.history ?? 0)
        }
    }

    /// Another process writes; nobody tells us. Suspends for a moment and looks.
    func pollForProgress() async throws(WalError) {
        do {
            try await Task.sleep(for: .milliseconds(20))
        } catch {
            return
        }
        try await blocking(on: shared.storage, named: "wal-poll") { () throws(WalError) in try self.refresh() }
    }
}
