/// Where a file stands, which it must name.
package struct LogPlace: Equatable, Sendable {
    /// Nil where it is not known yet.
    package var logID: LogID?
    package var partition: PartitionID

    package init(logID: LogID?, partition: PartitionID) {
        self.logID = logID
        self.partition = partition
    }
}

extension WalError {
    /// Of a file that names another log or partition than the one in whose directory it stands.
    static func foreign(_ what: String, log: LogID, _ place: LogPlace, partition: UInt32) -> WalError {
        let owner =
            log == place.logID ?? log ? "partition \(partition)" : "partition \(partition) of another log (\(log))"
        return WalError(
            .foreign,
            "\(what) belongs to \(owner): the file, or the directory that it is in, was moved or copied here. Nothing was changed: move it back where it belongs, or out of the log",
            partition: place.partition)
    }
}
