/// Where a command prints: standard output, or memory in tests. Collects small writes; not shared between threads.
package final class Output {
    private var pending: [UInt8] = []
    private let sink: (UnsafeRawBufferPointer) throws(ToolError) -> Void
    private static var size: Int { 64 << 10 }

    package init(_ sink: @escaping (UnsafeRawBufferPointer) throws(ToolError) -> Void) { self.sink = sink }

    static func descriptor(_ descriptor: Int32) -> Output {
        Output { (bytes) throws(ToolError) in try Descriptor.write(descriptor, bytes) }
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(ToolError) {
        pending.append(contentsOf: bytes)
        if pending.count >= Self.size { try flush() }
    }

    package func write(line: String) throws(ToolError) {
        pending.append(contentsOf: line.utf8)
        pending.append(UInt8(ascii: "\n"))
        if pending.count >= Self.size { try flush() }
    }

    /// Hands on what was written, in one piece. What can't be handed on is forgotten.
    package func flush() throws(ToolError) {
        guard !pending.isEmpty else { return }
        defer { pending.removeAll(keepingCapacity: true) }
        try pending.withUnsafeBufferPointer { (bytes) throws(ToolError) in try sink(UnsafeRawBufferPointer(bytes)) }
    }

    /// Hands on at once, behind what was written, in one piece.
    func writeAtOnce(_ text: String) throws(ToolError) {
        pending.append(contentsOf: text.utf8)
        try flush()
    }
}
