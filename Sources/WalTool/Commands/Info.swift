internal import WalJSON
internal import WriteAheadLog

/// `walctl info`: what a log says of itself.
package struct Info: Sendable {
    package var directory: String
    package var json = false

    package init(directory: String) { self.directory = directory }

    package func run(to streams: Streams) async -> ToolStatus {
        await streams.run { try perform(streams) }
    }

    private func perform(_ streams: Streams) throws -> ToolStatus {
        let log = try WalInspection.inspectAndWait(at: directory) { done, all in
            streams.meter.update("partition \(done) of \(all)")
        }
        streams.meter.clear()
        if json {
            try streams.output.write(line: report(log).description)
        } else {
            let id = log.logID.map { "log \($0)" } ?? "no log ID"
            try streams.output.write(line: "\(id), format version \(log.formatVersion)")
            for error in log.damage { try streams.output.write(line: "damaged: \(error.line)") }
            for partition in log.partitions { try describe(partition, streams.output) }
            try streams.output.write(line: total(log))
        }
        return !log.damage.isEmpty || log.partitions.contains { !$0.damage.isEmpty } ? .damaged : .success
    }

    // MARK: Text

    private func describe(_ partition: WalInspection.Partition, _ output: Output) throws(ToolError) {
        var head = "partition \(partition.id): \(counted(partition.recordCount, "record"))"
        if let first = partition.firstLSN, let last = partition.lastLSN { head += ", LSN \(first) … \(last)" }
        head += ", durable up to \(partition.durableLSN), \(counted(partition.segments.count, "segment"))"
        head += ", \(partition.bytes) bytes, \(partition.isClean ? "clean" : "not clean")"
        if partition.isRemoved { head += ", removed" }
        if partition.firstVisibleLSN > .first { head += ", visible from LSN \(partition.firstVisibleLSN)" }
        if let history = partition.history, let incarnation = partition.incarnation {
            head += ", history \(history)"
            if incarnation != history { head += ", incarnation \(incarnation)" }
        }
        try output.write(line: head)
        for segment in partition.segments {
            var line = "  \(segment.name): "
            if let codec = segment.codecName, let type = segment.typeName, let history = segment.history {
                switch segment.lastLSN {
                case let last? where last >= segment.firstLSN: line += "LSN \(segment.firstLSN) … \(last), "
                case .some: line += "no record, "
                case nil: break
                }
                line += "\(segment.fileBytes) bytes, \(segment.isSealed ? "sealed" : "open"), codec \(codec), "
                line += "type \(type), history \(history)"
                if let incarnation = segment.incarnation, incarnation != history {
                    line += ", incarnation \(incarnation)"
                }
            } else {
                line += "\(segment.fileBytes) bytes, unreadable"
            }
            try output.write(line: line)
        }
        for error in partition.damage { try output.write(line: "  damaged: \(error.line)") }
    }

    private func total(_ log: WalInspection) -> String {
        let records = log.partitions.reduce(0) { $0 + $1.recordCount }
        let bytes = log.partitions.reduce(0) { $0 + $1.bytes }
        let damaged = log.partitions.filter { !$0.damage.isEmpty }.count
        let text = "\(counted(log.partitions.count, "partition")), \(counted(records, "record")), \(bytes) bytes"
        return damaged == 0 ? text : "\(text), \(damaged) damaged; see `walctl verify`"
    }

    // MARK: JSON

    private func report(_ log: WalInspection) -> JSONValue {
        [
            "logID": JSONValue(log.logID.map { "\($0)" }), "version": JSONValue(UInt64(log.formatVersion)),
            "damage": .array(log.damage.map { JSONValue($0) }), "partitions": .array(log.partitions.map(report)),
        ]
    }

    private func report(_ partition: WalInspection.Partition) -> JSONValue {
        [
            "partition": JSONValue(partition.id), "records": JSONValue(partition.recordCount),
            "firstLSN": JSONValue(partition.firstLSN), "lastLSN": JSONValue(partition.lastLSN),
            "durableLSN": JSONValue(partition.durableLSN), "bytes": JSONValue(partition.bytes),
            "clean": .bool(partition.isClean), "removed": .bool(partition.isRemoved),
            "firstVisibleLSN": JSONValue(partition.firstVisibleLSN), "history": JSONValue(partition.history),
            "incarnation": JSONValue(partition.incarnation), "segments": .array(partition.segments.map(report)),
            "damage": .array(partition.damage.map { JSONValue($0) }),
        ]
    }

    private func report(_ segment: WalInspection.Segment) -> JSONValue {
        [
            "name": .string(segment.name), "firstLSN": JSONValue(segment.firstLSN),
            "lastLSN": JSONValue(segment.lastLSN), "records": JSONValue(segment.recordCount),
            "state": .string(segment.typeName == nil ? "unreadable" : segment.isSealed ? "sealed" : "open"),
            "bytes": JSONValue(segment.fileBytes), "dataEnd": JSONValue(segment.dataEnd),
            "history": JSONValue(segment.history), "incarnation": JSONValue(segment.incarnation),
            "created": JSONValue(segment.created),
            "codec": JSONValue(segment.codecName), "codecID": JSONValue(segment.codecID.map { UInt64($0) }),
            "type": JSONValue(segment.typeName), "schema": JSONValue(segment.schema),
        ]
    }
}
