/// What reading a partition's files comes to: the first thing that keeps them from being read on, or their end.
package enum Finding: String, CaseIterable, Sendable {
    /// A whole file that names another log, another partition or another place in it.
    case foreign
    /// A whole header, STATE or frame of a version or kind that this release does not know.
    case newer
    /// Everything was read, and the last segment ends in its footer.
    case end
    /// The frames end in a segment without a footer.
    case openEnd
    /// A frame that is not what was written, or not the one that should follow.
    case brokenFrame
    /// A segment's header is not whole.
    case brokenHeader
    /// A whole header that names another partition or segment of this log, and nothing else of that segment is in the file.
    case strayHeader
    /// A segment begins with a later LSN than the one that follows.
    case missingSegment
    /// A segment's incarnation is older than that of the segment before it.
    case olderSegment
    /// A segment begins with an LSN that the one before it holds.
    case repeatedSegment
    /// STATE is missing or damaged, and the log does not begin with LSN 1.
    case unknownBeginning
}

/// What is to be made of a finding.
package enum Verdict: String, CaseIterable, Sendable {
    /// The partition ends here, and nothing is wrong.
    case end
    /// A crash tore the partition here: what comes after it was never called durable, and goes.
    case torn
    /// Something that was durable is not what was written.
    case damaged
    /// A file belongs elsewhere. Nothing is touched.
    case foreign
    /// A newer release wrote it. Nothing is touched.
    case newer
    /// A copy whose files are of different moments ends here. What comes after it is set aside.
    case prefix
}

/// What recovery, opening for reading, verification and inspection decide, as one table.
///
/// Deciding is apart from looking and from doing: whoever looks brings a ``Finding``, whether it concerns a record that a mark calls
/// durable, and whether the partition's STATE stands in another file than it was written to; all act on the same ``Verdict``.
package enum RecoveryTable {
    package struct Row: Sendable {
        package let finding: Finding
        package let text: String
        /// In a log that stands where it was written: at or below the greatest mark, and above it.
        package let original: (marked: Verdict, above: Verdict)
        /// In a copy of it.
        package let copy: (marked: Verdict, above: Verdict)
    }

    package static let rows: [Row] = [
        Row(
            finding: .foreign, text: "A whole file names another log, partition or segment",
            original: (.foreign, .foreign), copy: (.foreign, .foreign)),
        Row(
            finding: .newer, text: "A whole file or frame is of a newer format",
            original: (.newer, .newer), copy: (.newer, .newer)),
        Row(
            finding: .end, text: "All segments are read; the last one ends in a footer",
            original: (.damaged, .end), copy: (.prefix, .end)),
        Row(
            finding: .openEnd, text: "The frames end in a segment without a footer",
            original: (.damaged, .torn), copy: (.prefix, .torn)),
        Row(
            finding: .brokenFrame, text: "A frame is broken, or not the one that follows",
            original: (.damaged, .torn), copy: (.prefix, .prefix)),
        Row(
            finding: .brokenHeader, text: "A segment's header is broken",
            original: (.damaged, .torn), copy: (.prefix, .prefix)),
        Row(
            finding: .strayHeader, text: "A file has the header of another segment of this log, and nothing else of it",
            original: (.foreign, .torn), copy: (.foreign, .prefix)),
        Row(
            finding: .missingSegment, text: "A segment begins with a later LSN than the one that follows",
            original: (.damaged, .torn), copy: (.prefix, .prefix)),
        Row(
            finding: .olderSegment, text: "A segment's incarnation is older than that of the segment before it",
            original: (.damaged, .torn), copy: (.prefix, .prefix)),
        Row(
            finding: .repeatedSegment, text: "A segment begins with an LSN that the one before it holds",
            original: (.damaged, .damaged), copy: (.prefix, .prefix)),
        Row(
            finding: .unknownBeginning, text: "No STATE is whole, and the first LSN is not 1",
            original: (.damaged, .damaged), copy: (.damaged, .damaged)),
    ]

    /// - Parameters:
    ///   - isMarked: a mark says that the record which can't be read was durable.
    ///   - isCopy: STATE stands in another file than the one it was written to.
    package static func verdict(_ finding: Finding, isMarked: Bool, isCopy: Bool) -> Verdict {
        guard let row = rows.first(where: { $0.finding == finding }) else {
            preconditionFailure("the table has no row for \(finding)")
        }
        let verdicts = isCopy ? row.copy : row.original
        return isMarked ? verdicts.marked : verdicts.above
    }

    /// The table as the documentation shows it.
    package static var markdown: String {
        var text = "| found | original, marked | original, above | copy, marked | copy, above |\n"
        text += "| --- | --- | --- | --- | --- |\n"
        for row in rows {
            let verdicts = [row.original.marked, row.original.above, row.copy.marked, row.copy.above]
            text += "| \(row.text) | " + verdicts.map(\.rawValue).joined(separator: " | ") + " |\n"
        }
        return text
    }
}
