import ArgumentParser
import Foundation

/// Fills small file systems to the last block.
struct FullDiskCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "full-disk", abstract: "Fills a small ext4 and a small tmpfs, makes room, and goes on.")

    @OptionGroup var options: ScenarioOptions

    func run() throws {
        if let status = try Mounts.enter() { throw ExitCode(status) }
        let scenario = try Scenario("full-disk", options)
        var passed = 0
        for system in ["ext4", "tmpfs"] {
            for mode in ["mapped", "written", "filled"] {
                for isKilled in [false, true] {
                    let place = scenario.path("\(system)-\(mode)")
                    do {
                        try mount(system, scenario, at: place)
                    } catch {
                        throw Verdict.skip("no \(system) could be mounted: \(error)")
                    }
                    defer { try? Mounts.unmount(place) }
                    let found = try fill(scenario, place, mode, isKilled)
                    report("full disk: \(system), \(mode), \(isKilled ? "killed" : "closed"): \(found)")
                    passed += 1
                }
            }
        }
        report("full disk \(passed)/12\(scenario.remarks)")
    }

    private func mount(_ system: String, _ scenario: Scenario, at place: String) throws {
        if system == "ext4" {
            try Mounts.format("\(place).img", megabytes: 16)
            try Mounts.mount("\(place).img", at: place)
        } else {
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            try Child.run("mount", "-t", "tmpfs", "-o", "size=12m,mode=700", "tmpfs", place)
        }
    }

    private func fill(_ scenario: Scenario, _ place: String, _ mode: String, _ isKilled: Bool) throws -> String {
        let log = "\(place)/log"
        let acks = scenario.path("acks")
        let errors = scenario.path("errors")
        for file in [acks, errors] { unlink(file) }
        let ballast = (1...4).map { "\(place)/ballast-\($0)" }
        for file in ballast { try Child.run("dd", "if=/dev/zero", "of=\(file)", "bs=64k", "count=16", "status=none") }
        let filler = try Child(
            [Scenario.executable, "fill", log, "--mode", mode, "--run", "\(scenario.number(1...1_000_000))"]
                + (isKilled ? ["--kill"] : [])
                + ballast.dropLast().flatMap { ["--ballast", $0] }, output: acks, errors: errors)
        let end = filler.wait()
        guard end == (isKilled ? .killed(SIGKILL) : .exited(0)) else {
            throw Trouble("on \(place) the filler \(end)\(scenario.errors())")
        }
        var found = scenario.errors().dropFirst(2)
        // A disk that is still full may not have the room that recovery needs, but nothing may be lost by trying.
        do {
            _ = try scenario.check(log, ["--acks", acks])
        } catch let objection as Objection {
            guard objection.description.contains("noSpace"), mode == "written" else { throw objection }
            found += ", opened only when there was room"
        }
        for file in [ballast[3], "\(place)/by-others"] { unlink(file) }
        let summary = try scenario.check(log, ["--acks", acks])
        try scenario.compare(log)
        try scenario.keep(log, as: "\((place as NSString).lastPathComponent)\(isKilled ? "-killed" : "")")
        return "\(found); \(summary.acknowledged) acknowledged operations found, none lost"
    }
}
