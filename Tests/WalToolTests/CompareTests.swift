import Foundation
import Testing
import WalComparison
import WalJSON
import WalTool

@Suite(.timeLimit(.minutes(15))) struct `Comparing codecs from the command line` {
    private static let text = (1...40).map { #"{"n":\#($0),"name":"record \#($0)"}"# + "\n" }.joined()

    /// As little as shows anything.
    private func compare(
        _ text: String = text, name: String = "records", _ change: (inout Compare) -> Void = { _ in }
    ) async -> Outcome {
        var command = Compare(name: name)
        command.codecs = "binary,json,binary-batch"
        command.time = .milliseconds(4)
        command.rounds = 2
        command.settings.batch = 8
        change(&command)
        return await outcome { [command] in await command.run(input: { lines(of: text) }, to: $0) }
    }

    @Test func `the table has each codec, its figures and a choice for each priority`() async {
        let result = await compare { $0.priority = .size }
        #expect(result.status == .success, "\(result.errors)")
        let heads = [
            "codec", "batch", "bytes", "ratio", "encode", "decode", "append", "durable/s", "replay/s", "memory",
        ]
        for head in heads { #expect(result.output.contains(head)) }
        for start in ["binary ", "json ", "binary-batch "] {
            #expect(result.lines.contains { $0.hasPrefix(start) }, "\(result.output)")
        }
        for choice in ["Smallest: ", "Fastest to write: ", "Fastest to read: ", "Balanced: "] {
            #expect(result.lines.contains { $0.hasPrefix(choice) })
        }
        #expect(result.lines.contains { $0.hasPrefix("For --priority size: ") })
        #expect(!result.output.contains("p50"))
        #expect(result.errors.isEmpty)
    }

    @Test func `percentiles by record size are printed where they are asked for`() async {
        let result = await compare { $0.sizes = true }
        #expect(result.output.hasPrefix("By plain size of a record"))
    }

    @Test func `JSON has every figure, and bytes that add up`() async throws {
        let result = await compare { $0.json = true }
        #expect(result.status == .success, "\(result.errors)")
        #expect(result.lines.count == 1)
        let report = try JSONValue(parsing: result.output.filter { $0 != "\n" })
        #expect(report["records"] == 40)
        #expect(report["recordsLearntFrom"] == 0)
        #expect(report["plainBytes"] == .number(JSONNumber(Self.text.utf8.count - 40)))
        let names = (0..<4).map { report["codecs"]?[$0]?["name"] }
        #expect(names == ["binary", "json", "binary-batch", nil])
        let json = try #require(report["codecs"]?[1])
        // Its text is the line itself.
        let stored = Self.text.split(separator: "\n").reduce(0) { $0 + (16 + $1.utf8.count + 7) / 8 * 8 }
        guard case .number(let bytes)? = json["storedBytesPerRecord"] else {
            Issue.record("no bytes in \(json)")
            return
        }
        #expect(bytes.double == Double(stored) / 40)
        for key in [
            "encodeNanoseconds", "decodeNanoseconds", "appendNanoseconds", "durableAppendNanoseconds",
            "replayNanoseconds",
        ] {
            for part in ["median", "min", "max"] {
                guard case .number(let value)? = json[key]?[part] else {
                    Issue.record("no \(part) of \(key) in \(json)")
                    continue
                }
                #expect((value.double ?? 0) > 0)
            }
        }
        #expect(json["sizes"]?[0]?["storedBytes"]?["p99"] != nil)
        #expect(json["onFront"]?["replay"] != nil)
        let priorities = (0..<4).map { report["recommendations"]?[$0]?["priority"] }
        #expect(priorities == ["size", "write", "read", "balanced"])
    }

    @Test func `a priority is the only recommendation in JSON`() async throws {
        let result = await compare {
            $0.json = true
            $0.priority = .read
        }
        let report = try JSONValue(parsing: result.output.filter { $0 != "\n" })
        #expect(report["recommendations"]?[0]?["priority"] == "read")
        #expect(report["recommendations"]?[1] == nil)
    }

    @Test func `the page has all codecs, and names as text whatever is in them`() async throws {
        try await withTemporaryDirectory { path in
            let page = "\(path)/report.html"
            let name = "<script>alert('&')</script>\u{1}\"x\".ndjson"
            let result = await compare(name: name) { $0.html = page }
            #expect(result.status == .success, "\(result.errors)")
            #expect(result.output.hasSuffix("Page: \(page)\n"))
            let html = String(decoding: try bytes(page), as: UTF8.self)
            #expect(html.contains("&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt; &quot;x&quot;.ndjson"))
            #expect(!html.contains("<script") && !html.contains("\u{1}"))
            #expect(html.split(separator: "<circle class=\"point").count == 1 + 3 * 3)
            #expect(html.split(separator: "<path class=\"frontline\"").count == 1 + 3)
            #expect(html.split(separator: "<article class=\"card\"").count == 1 + 4)
        }
    }

    @Test func `a file that is there is replaced only by force, and found before the work`() async throws {
        try await withTemporaryDirectory { path in
            let page = "\(path)/mine.txt"
            try replace(page, with: Array("mine".utf8))
            var command = Compare(name: "records")
            command.html = page
            let refused = await outcome { [command] in
                await command.run(
                    input: { () throws(ToolError) in
                        Issue.record("the input was opened")
                        return lines(of: "")
                    }, to: $0)
            }
            #expect(refused.status == .usage)
            #expect(refused.errors == "walctl: \(page) is there already; give another name, or --force to replace it\n")
            #expect(try bytes(page) == Array("mine".utf8))
            let forced = await compare {
                $0.html = page
                $0.force = true
            }
            #expect(forced.status == .success)
            #expect(try bytes(page).starts(with: "<!doctype html>".utf8))
        }
    }

    @Test(arguments: [
        ("", ToolStatus.badInput, "records has no records"), ("\n \t\r\n", .badInput, "records has no records"),
        ("1\n{\n", .badInput, "line 2 is not JSON"),
    ])
    func `an input without records, or with a bad line, is named`(
        _ text: String, _ status: ToolStatus, _ message: String
    ) async {
        let result = await compare(text)
        #expect(result.status == status)
        #expect(result.errors.hasPrefix("walctl: \(message)"))
        #expect(result.output.isEmpty)
    }

    @Test(arguments: ["nothing", "binary,,nothing", "binary,binary", "", ","])
    func `codecs that are not there, or named twice, are refused`(_ names: String) async {
        let result = await compare { $0.codecs = names }
        #expect(result.status == .usage)
        #expect(result.errors.split(separator: "\n").count == 1)
    }

    @Test func `only so many records are read as were asked for`() async throws {
        let result = await compare("1\n2\n3\nno JSON\n") {
            $0.limit = 3
            $0.json = true
        }
        #expect(result.status == .success, "\(result.errors)")
        #expect(try JSONValue(parsing: result.output.filter { $0 != "\n" })["records"] == 3)
    }

    #if Zstd
    @Test func `a dictionary is learnt from records that are not measured`() async throws {
        let text = (1...1000).map {
            #"{"n":\#($0),"name":"record \#($0 * 7919)","kind":"a kind of text that all have"}"# + "\n"
        }
        let result = await compare(text.joined()) {
            $0.codecs = "json,zstd-json-dictionary,zstd-json-batch"
            $0.json = true
        }
        #expect(result.status == .success, "\(result.errors)")
        let report = try JSONValue(parsing: result.output.filter { $0 != "\n" })
        #expect(report["records"] == 500)
        #expect(report["recordsLearntFrom"] == 500)
    }

    @Test func `too few records for a dictionary are an error where it was named, and a remark where it was not`()
        async throws
    {
        let named = await compare { $0.codecs = "zstd-dictionary" }
        #expect(named.status == .badInput)
        let all = await compare {
            $0.codecs = nil
            $0.json = true
        }
        #expect(all.status == .success, "\(all.errors)")
        let remarks = try JSONValue(parsing: all.output.filter { $0 != "\n" })["remarks"]
        #expect(remarks?[0] != nil)
    }

    @Test func `a level that zstd has not is refused`() async {
        #expect(await compare { $0.settings.level = 99 }.status == .usage)
    }
    #endif

    @Test(arguments: [
        ["--batch", "0"], ["--records", "0"], ["--seconds", "0"], ["--seconds", "nan"], ["--seconds", "1e99"],
        ["--rounds", "0"], ["--rounds", "1001"], ["--priority", "speed"], ["--force"], ["--batch", "1000001"],
    ])
    func `arguments that make no sense are refused`(_ arguments: [String]) {
        #expect(Walctl.complaint(about: ["compare", "file"] + arguments) != nil)
    }

    @Test func `the file is an argument, and so is standard input`() {
        #expect(Walctl.complaint(about: ["compare"]) != nil)
        for file in ["file", "-"] {
            #expect(
                Walctl.complaint(about: ["compare", file, "--priority", "read", "--html", "a", "--force", "--sizes"])
                    == nil)
        }
    }
}
