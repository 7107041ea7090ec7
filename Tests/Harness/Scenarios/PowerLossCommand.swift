import ArgumentParser
import Foundation

/// Cuts the power of a real file system at random moments while a writer runs on it, and checks every LSN that was acknowledged as
/// synced before.
struct PowerLossCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "power-loss",
        abstract: "Copies a mounted ext4 at random moments, mounts the copy and checks the log on it.")

    @OptionGroup var options: ScenarioOptions
    @Option var count = 200
    @Flag(help: "The writer calls synced what was not. The scenario passes if that is noticed.") var lie = false
    @Option(help: "The same with a safety measure of the log left out, by name.") var without: String?

    /// A writer's log gets so many images before it begins anew.
    private static let perRound = 10

    func run() throws {
        if let status = try Mounts.enter() { throw ExitCode(status) }
        let scenario = try Scenario("power-loss", options)
        guard Scenario.freeBytes(scenario.directory) > 600 << 20 else {
            throw Verdict.skip("less than 600 MiB are free in \(scenario.directory); name another place by --scratch")
        }
        let supply: PowerSupply
        do {
            supply = try PowerSupply(in: scenario.directory)
        } catch {
            throw Verdict.skip("no ext4 could be mounted on a loop device: \(error)")
        }
        if let objection = try supply.provesItself(scenario.path("image")) {
            try? supply.stop()
            throw Trouble("the power supply itself: \(objection)")
        }
        var tally = Tally()
        do {
            while tally.images < count { try round(scenario, supply, &tally) }
        } catch let objection as Objection where isControl {
            try? supply.stop()
            report("power-loss control: noticed at image \(tally.images + 1): \(objection.summary)")
            return
        } catch {
            try? supply.stop()
            throw error
        }
        try supply.stop()
        if isControl { throw Trouble("NOT NOTICED in \(tally.images) images: \(without ?? "the writer lies")") }
        let how =
            tally.instants == tally.images
            ? "each of one instant" : "\(tally.images - tally.instants) copied while the disk changed"
        report(
            """
            power-loss images \(tally.images)/\(count): \(how), \(tally.flushed) of them of a disk that lost its cache; \
            \(tally.sum.acknowledged) acknowledged operations found in \(tally.sum.records) records by all checks together, none lost; \
            \(tally.sum.torn) partitions had a torn end, \(tally.sum.cutBytes) bytes in all\(scenario.remarks)
            """)
    }

    private var isControl: Bool { lie || without != nil }

    private struct Tally {
        var images = 0
        /// Whether images are of one instant.
        var isInstant: [PowerSupply.Image: Bool] = [:]
        var instants = 0
        var flushed = 0
        var round = 0
        var sum = CheckSummary()
    }

    private func round(_ scenario: Scenario, _ supply: PowerSupply, _ tally: inout Tally) throws {
        tally.round += 1
        let log = "\(supply.disk)/log-\(tally.round)"
        let acks = scenario.path("acks-\(tally.round)")
        defer {
            unlink(acks)
            try? FileManager.default.removeItem(atPath: log)
        }
        var run: UInt32 = 0
        var last = 0
        while last < Self.perRound, tally.images < count {
            // Killed in the middle, and begun again: what the second process finds, it must make durable before it goes on.
            run += 1
            var more = ["--mode", ["mapped", "written", "filled"].randomElement(using: &scenario.random) ?? "mapped"]
            more += ["--segment-size", "\([65_536, 262_144].randomElement(using: &scenario.random) ?? 65_536)"]
            if lie { more.append("--lie") }
            if let without { more += ["--without", without] }
            let said = Scenario.size(acks)
            let writer = try scenario.writer(log, acks, run: run, more)
            defer {
                writer.signal(SIGCONT)
                writer.signal(SIGKILL)
                _ = writer.wait()
            }
            try scenario.wait(until: { Scenario.size(acks) > said }, while: writer)
            if tally.round == 1, run == 1 {
                for kind in PowerSupply.Image.allCases { tally.isInstant[kind] = try supply.isInstant(kind) }
            }
            for _ in 0..<Self.perRound / 2 where tally.images < count {
                last += 1
                stir(scenario, log)
                try image(scenario, supply, log, acks, writer, &tally)
                tally.images += 1
            }
        }
    }

    /// Lets a random time pass, in which the kernel may write any page of the log's files whenever it likes: it is asked to, for
    /// by itself it would seldom do so before a sync asks.
    private func stir(_ scenario: Scenario, _ log: String) {
        let end = Date(timeIntervalSinceNow: Double(scenario.number(5...250)) / 1_000)
        repeat {
            usleep(UInt32(scenario.number(500...15_000)))
            guard scenario.chance(oneIn: 2),
                let files = FileManager.default.enumerator(atPath: log)?.compactMap({ $0 as? String }),
                let name = files.filter({ $0.hasSuffix(".wal") }).randomElement(using: &scenario.random)
            else { continue }
            let descriptor = open("\(log)/\(name)", O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            let page = off_t(scenario.number(0...UInt64(Scenario.size("\(log)/\(name)")) / 4_096) * 4_096)
            #if os(Linux)
            posix_fadvise(descriptor, page, off_t(4_096 * scenario.number(1...4)), POSIX_FADV_DONTNEED)
            #endif
            close(descriptor)
        } while Date() < end
    }

    private func image(
        _ scenario: Scenario, _ supply: PowerSupply, _ log: String, _ acks: String, _ writer: Child,
        _ tally: inout Tally
    ) throws {
        let kind: PowerSupply.Image = tally.images % 2 == 0 ? .completed : .flushed
        let image = scenario.path("image")
        defer { unlink(image) }
        var binding = 0
        var end = 0
        let isFrozen = try supply.cut(
            kind, to: image, before: { binding = Scenario.size(acks) }, after: { end = Scenario.size(acks) })
        guard writer.isRunning, scenario.errors().isEmpty else {
            writer.signal(SIGKILL)
            throw Trouble("the writer \(writer.wait())\(scenario.errors())")
        }
        // It would only fill the acknowledgements meanwhile.
        writer.signal(SIGSTOP)
        defer { writer.signal(SIGCONT) }
        try supply.start(kind, image) { place in
            let copy = "\(place)/\((log as NSString).lastPathComponent)"
            let isSample = !isControl && tally.images % max(1, count / 10) == 0 && Scenario.exists(copy)
            if isSample {
                try scenario.compare(copy)
                try scenario.keep(copy, as: "\(tally.images)-as-found")
            }
            tally.sum += try scenario.check(
                copy, ["--acks", acks, "--power-loss", "--binding", "\(binding)", "--end", "\(end)"])
            if isSample {
                try scenario.compare(copy)
                try scenario.keep(copy, as: "\(tally.images)-recovered")
            }
        }
        if isFrozen, tally.isInstant[kind] == true { tally.instants += 1 }
        if kind == .flushed { tally.flushed += 1 }
    }
}
