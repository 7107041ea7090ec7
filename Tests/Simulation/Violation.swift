internal import WriteAheadLog

/// A promise that was not kept, as the simulation saw it.
package struct Violation: Error, CustomStringConvertible {
    package let what: String
    package init(_ what: String) { self.what = what }
    package var description: String { what }
}

/// What a simulation tried.
package struct Counts: Sendable {
    package var histories = 0
    package var operations = 0
    package var appends = 0
    package var kills = 0
    package var powerLosses = 0
    package var faults = 0
    package var recoveries = 0
    package var cuts = 0
    package var lies = 0
    /// Segments that were written anew.
    package var recompressed = 0
    /// What overtook which suspended operation.
    package var pairs = Pairs()

    package init() {}

    package mutating func add(_ other: Counts) {
        histories += other.histories
        operations += other.operations
        appends += other.appends
        kills += other.kills
        powerLosses += other.powerLosses
        faults += other.faults
        recoveries += other.recoveries
        cuts += other.cuts
        lies += other.lies
        recompressed += other.recompressed
        pairs.add(other.pairs)
    }
}

extension WalError {
    /// What a fault of the disk, or a full one, may be reported as.
    var isOfFault: Bool {
        switch code {
        case .io, .noSpace, .poisoned, .tooManyFiles, .outOfResources, .unsupported: true
        default: false
        }
    }
}
