/// Splits a stream of bytes into lines, in memory that depends on the longest line alone.
package final class LineReader {
    package typealias Source = (UnsafeMutableRawBufferPointer) throws(ToolError) -> Int

    private let source: Source
    private let limit: Int
    private var memory: UnsafeMutableRawBufferPointer
    /// What was read and not handed out.
    private var start = 0
    private var end = 0
    private var isAtEnd = false
    /// Of the line that was handed out last; the first is 1.
    package private(set) var number = 0

    /// - Parameters:
    ///   - limit: longer lines, in bytes, are an error.
    ///   - source: fills a buffer with at least one byte and says with how many; 0 at the end.
    package init(limit: Int, source: @escaping Source) {
        self.limit = limit
        self.source = source
        memory = .allocate(byteCount: 256 << 10, alignment: 16)
    }

    deinit { memory.deallocate() }

    static func standardInput(limit: Int) -> LineReader {
        LineReader(limit: limit) { (buffer) throws(ToolError) in try Descriptor.read(Descriptor.input, into: buffer) }
    }

    static func file(_ path: String, limit: Int) throws(ToolError) -> LineReader {
        let file = try Descriptor.Reading(path)
        return LineReader(limit: limit) { (buffer) throws(ToolError) in try file.read(into: buffer) }
    }

    /// The next line without its end, valid until the next call; nil at the end. The last line needs no end.
    package func next() throws(ToolError) -> UnsafeRawBufferPointer? {
        var searched = start
        while true {
            if let newline = memory[searched..<end].firstIndex(of: UInt8(ascii: "\n")) {
                return try line(upTo: newline, next: newline + 1)
            }
            searched = end
            if isAtEnd { return start == end ? nil : try line(upTo: end, next: end) }
            if end - start > limit { throw tooLong() }
            let moved = makeRoom()
            searched -= moved
            let count = try source(UnsafeMutableRawBufferPointer(rebasing: memory[end...]))
            if count == 0 { isAtEnd = true }
            end += count
        }
    }

    private func line(upTo lineEnd: Int, next: Int) throws(ToolError) -> UnsafeRawBufferPointer {
        guard lineEnd - start <= limit else { throw tooLong() }
        number += 1
        defer { start = next }
        return UnsafeRawBufferPointer(rebasing: memory[start..<lineEnd])
    }

    private func tooLong() -> ToolError {
        ToolError(.badInput, "line \(number + 1) is longer than \(limit) bytes, the limit of a record")
    }

    /// Returns by how much what is there was moved.
    private func makeRoom() -> Int {
        let moved = start
        if moved > 0 {
            memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[start..<end]))
            end -= moved
            start = 0
        }
        if end == memory.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * memory.count, alignment: 16)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<end]))
            memory.deallocate()
            memory = larger
        }
        return moved
    }
}
