/// What keeps the promises, each to be left out by a test that shows that its absence is noticed. No app can reach this.
package struct SafetyMeasures: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// A frame counts only if its checksum is right (promise 7).
    package static let checksum = SafetyMeasures(rawValue: 1 << 0)
    /// Each segment has a random salt, so that frames of another can't join it (6, 7).
    package static let salt = SafetyMeasures(rawValue: 1 << 1)
    /// Each writer has an incarnation of its own, so that a position tells whether its record survived (6, 10).
    package static let incarnation = SafetyMeasures(rawValue: 1 << 2)
    /// Names are durable before a record in the file is called so (1).
    package static let directorySync = SafetyMeasures(rawValue: 1 << 3)
    /// A sync covers the sealed segments that were not synced yet (2).
    package static let segmentOrder = SafetyMeasures(rawValue: 1 << 4)
    /// A mark is written after the sync that it tells of (4).
    package static let markAfterSync = SafetyMeasures(rawValue: 1 << 5)
    /// Recovery writes again what it found above the mark (5).
    package static let rewriting = SafetyMeasures(rawValue: 1 << 6)
    /// STATE says so durably before a purged file goes, and the oldest goes first (11).
    package static let purgeOrder = SafetyMeasures(rawValue: 1 << 7)
    /// After a failed sync nothing more is accepted or called durable (8).
    package static let poison = SafetyMeasures(rawValue: 1 << 8)
    /// A ranged sync acknowledges only where nothing unsynced precedes its range (1).
    package static let rangedSync = SafetyMeasures(rawValue: 1 << 9)
    /// Readers see nothing beyond the published end (14).
    package static let publishedEnd = SafetyMeasures(rawValue: 1 << 10)
    /// One writer at a time (9).
    package static let lock = SafetyMeasures(rawValue: 1 << 11)
    /// A recompressed segment is durable before it takes the old one's name (2, 14).
    package static let syncBeforeRename = SafetyMeasures(rawValue: 1 << 12)
    /// After each system call of a sync the partition is looked at again: whether it was poisoned or closed meanwhile (1, 8).
    package static let phaseAfterSync = SafetyMeasures(rawValue: 1 << 13)
    /// Closing waits for what the log began: syncs, marks, purges, prepared and recompressed files (1, 8).
    package static let joining = SafetyMeasures(rawValue: 1 << 14)
    /// Files that are made ready have a name of their own, which nobody but their maker touches (2).
    package static let uniqueNames = SafetyMeasures(rawValue: 1 << 15)

    /// With the names that tools print.
    package static let all: [(name: String, measure: SafetyMeasures)] = [
        ("checksum", .checksum), ("salt", .salt), ("incarnation", .incarnation), ("directory-sync", .directorySync),
        ("segment-order", .segmentOrder), ("mark-after-sync", .markAfterSync), ("rewriting", .rewriting),
        ("purge-order", .purgeOrder), ("poison", .poison), ("ranged-sync", .rangedSync),
        ("published-end", .publishedEnd), ("lock", .lock), ("sync-before-rename", .syncBeforeRename),
    ]

    /// Those whose absence shows only where operations overlap.
    package static let overlapping: [(name: String, measure: SafetyMeasures)] = [
        ("phase-after-sync", .phaseAfterSync), ("joining", .joining), ("unique-names", [.uniqueNames, .joining]),
    ]

    package static let named = all + overlapping
}
