#if Zstd
import Testing
import WalJSON
import WalTool
import WalZstd
import WriteAheadLog

/// Dictionaries that lie in the log's directory are used without a word.
@Suite struct DictionaryTests {
    @Test func `append takes the newest dictionary beside the log, and cat finds it`() async throws {
        try await withTemporaryDirectory { path in
            let directory = path + "/log"
            let lines = (0..<2_000).map {
                #"{"id":\#($0),"text":"the same words in each of these records, \#($0 % 7)"}"#
            }
            let dictionaries = try ZstdDictionaries(at: directory + "/dictionaries")
            try dictionaries.add(ZstdDictionary.train(on: lines.map { Array($0.utf8) }, capacity: 2048))
            var append = Append(directory: directory)
            append.codec = .zstdJSON
            let text = lines.joined(separator: "\n")
            let appended = await outcome { await append.run(input: WalToolTests.lines(of: text), to: $0) }
            #expect(appended.status == .success)
            let printed = await outcome { await Cat(directory: directory).run(to: $0) }
            #expect(printed.status == .success && printed.lines == lines)
            let info = try WalInspection.inspectAndWait(at: directory)
            #expect(info.partitions[0].segments[0].codecParameters?.prefix(14).suffix(8) != [0, 0, 0, 0, 0, 0, 0, 0])
        }
    }
}
#endif
