internal import WalJSON
internal import WriteAheadLog

/// `walctl verify`: checks every byte.
package struct Verify: Sendable {
    package var directory: String
    package var json = false

    package init(directory: String) { self.directory = directory }

    package func run(to streams: Streams) async -> ToolStatus {
        await streams.run { try perform(streams) }
    }

    private func perform(_ streams: Streams) throws -> ToolStatus {
        let result: WalVerification
        do throws(WalError) {
            result = try WalVerification.verifyAndWait(at: directory) { progress in
                streams.meter.update(
                    "partition \(progress.partitionsDone) of \(progress.partitions), \(progress.bytesRead >> 20) MiB")
            }
        } catch {
            // Status 1 is for what was checked and found damaged.
            let failure = ToolError(error)
            throw failure.status == .damaged ? ToolError(.unusable, failure.message) : failure
        }
        streams.meter.clear()
        if json {
            try streams.output.write(line: report(result).description)
        } else {
            try describe(result, streams.output)
        }
        return result.isDamaged ? .damaged : .success
    }

    private func describe(_ result: WalVerification, _ output: Output) throws(ToolError) {
        for error in result.logDamage { try output.write(line: "damaged: \(describe(error))") }
        for partition in result.partitions {
            for lost in partition.lost {
                try output.write(
                    line: "lost, no damage: partition \(partition.id), LSN \(lost.lowerBound) … \(lost.upperBound): "
                        + "salvage could not read those records")
            }
            for error in partition.damage { try output.write(line: "damaged: \(describe(error))") }
            for remark in partition.remarks { try output.write(line: "remark: \(describe(remark))") }
            if let tail = partition.tornTail {
                try output.write(
                    line: "torn tail, no damage: partition \(partition.id), segment \(tail.segment), "
                        + "offset \(tail.offset), LSN \(tail.lsn): \(counted(tail.bytes, "byte")) that never were durable"
                )
            }
        }
        let bytes = result.partitions.reduce(0) { $0 + $1.bytes }
        let segments = result.partitions.reduce(0) { $0 + $1.segments }
        var text = "\(counted(result.partitions.count, "partition")), \(counted(segments, "segment")), "
        text += "\(counted(result.records, "record")), \(bytes) bytes: "
        text += result.isDamaged ? "\(counted(result.damage.count, "place")) damaged" : "no damage"
        try output.write(line: text)
    }

    private func describe(_ error: WalError) -> String {
        "\(error.placeText): \(error.code): \(error.message)"
    }

    private func report(_ result: WalVerification) -> JSONValue {
        [
            "status": .string(result.isDamaged ? "damaged" : "clean"),
            "logID": JSONValue(result.logID.map { "\($0)" }),
            "damage": .array(result.logDamage.map { JSONValue($0) }),
            "partitions": .array(result.partitions.map(report)),
        ]
    }

    private func report(_ partition: WalVerification.Partition) -> JSONValue {
        let tail: JSONValue? = partition.tornTail.map {
            [
                "segment": JSONValue($0.segment), "offset": JSONValue($0.offset), "lsn": JSONValue($0.lsn),
                "bytes": JSONValue($0.bytes),
            ]
        }
        return [
            "partition": JSONValue(partition.id), "segments": JSONValue(partition.segments),
            "records": JSONValue(partition.records), "bytes": JSONValue(partition.bytes),
            "firstLSN": JSONValue(partition.firstLSN), "lastLSN": JSONValue(partition.lastLSN),
            "durableLSN": JSONValue(partition.durableLSN), "clean": .bool(partition.isClean),
            "tornTail": tail ?? .null, "damage": .array(partition.damage.map { JSONValue($0) }),
            "lost": .array(
                partition.lost.map { ["first": JSONValue($0.lowerBound), "last": JSONValue($0.upperBound)] }),
            "remarks": .array(partition.remarks.map { JSONValue($0) }),
        ]
    }
}
