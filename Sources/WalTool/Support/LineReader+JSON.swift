internal import WalJSON
internal import WriteAheadLog

extension LineReader {
    /// The JSON value of the line that was handed out last; nil for a line of white space alone.
    func value(of line: UnsafeRawBufferPointer) throws(ToolError) -> JSONValue? {
        let isBlank = line.allSatisfy {
            $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r")
        }
        guard !isBlank else { return nil }
        do throws(WalError) {
            return try JSONValue(parsing: line)
        } catch {
            throw ToolError(.badInput, "line \(number) is not JSON: \(error.message)")
        }
    }
}
