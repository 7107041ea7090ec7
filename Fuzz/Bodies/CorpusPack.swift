internal import Foundation

/// Many inputs in one file, so that a corpus does not fill a repository with files: for each its length as 4 bytes, little endian,
/// and its bytes.
public struct CorpusPack: Sendable {
    public private(set) var inputs: [[UInt8]] = []

    init(inputs: [[UInt8]]) { self.inputs = inputs }

    public init(contentsOf path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        var offset = 0
        while offset + 4 <= bytes.count {
            let count = (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
            guard count <= bytes.count - offset - 4 else { break }
            inputs.append(Array(bytes[(offset + 4)..<(offset + 4 + count)]))
            offset += 4 + count
        }
        guard offset == bytes.count else { throw FuzzFailure("\(path) is cut short") }
    }

    /// The files of a directory, smallest first, so that the same files always make the same pack.
    public init(directory: String) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: directory)
        inputs = try names.map { [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\($0)"))) }
        inputs.sort { $0.count == $1.count ? $0.lexicographicallyPrecedes($1) : $0.count < $1.count }
    }

    public func write(to path: String) throws {
        var bytes = Data()
        for input in inputs {
            bytes.append(contentsOf: (0..<4).map { UInt8(truncatingIfNeeded: input.count >> (8 * $0)) })
            bytes.append(contentsOf: input)
        }
        try bytes.write(to: URL(fileURLWithPath: path))
    }

    public func unpack(to directory: String, as name: String = "packed") throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for (number, input) in inputs.enumerated() {
            try Data(input).write(to: URL(fileURLWithPath: "\(directory)/\(name)-\(number)"))
        }
    }
}
