import Foundation
import Testing
import WriteAheadLog

@Suite struct `What opening decides` {
    @Test func `the article shows the table that the code has`() throws {
        let article = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources/WriteAheadLog/WriteAheadLog.docc/Recovery.md")
        let text = try String(contentsOf: article, encoding: .utf8)
        #expect(text.contains(RecoveryTable.markdown), "put this into the article:\n\(RecoveryTable.markdown)")
    }

    @Test func `each finding has one row`() {
        #expect(RecoveryTable.rows.map(\.finding) == Finding.allCases)
    }

    @Test(arguments: Finding.allCases) func `keeps the promises whatever was found`(_ finding: Finding) {
        for isMarked in [false, true] {
            for isCopy in [false, true] {
                let verdict = RecoveryTable.verdict(finding, isMarked: isMarked, isCopy: isCopy)
                // What belongs elsewhere or is newer is never cut, and nothing else is called so.
                // A header alone is no more than that where nothing durable stood.
                #expect((verdict == .foreign) == (finding == .foreign || finding == .strayHeader && isMarked))
                #expect((verdict == .newer) == (finding == .newer))
                // What was durable is never cut.
                if isMarked { #expect(verdict != .torn && verdict != .end) }
                // Only a copy ends where something durable is missing.
                if verdict == .prefix { #expect(isCopy) }
                // In a copy nothing whole is cut away: only blank space comes after the end.
                if isCopy, verdict == .torn { #expect(finding == .openEnd) }
            }
        }
    }
}
