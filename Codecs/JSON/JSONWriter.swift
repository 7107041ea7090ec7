internal import WriteAheadLog

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Writes what a `Codable` record encodes straight into the log's encoder.
///
/// Only the containers on the way to the innermost open one are kept. Writing to one of them closes those within it; one that
/// was closed takes nothing more.
final class JSONWriter {
    enum Kind { case slot, value, object, array }

    /// A value that was begun.
    struct Frame {
        var kind: Kind
        let serial: Int
        var count = 0
        let key: String?
        let element: Int
        /// What is encoded there, so that sets can be told from arrays.
        var type: Any.Type?
        /// 0: the order stays. Else so many elements (a key and its value, in an array) are sorted as one.
        var sorted = 0
        /// Where what is to be sorted begins, and what it is sorted by ends (0: where it ends itself).
        var starts: [(start: Int, keyEnd: Int)] = []
    }

    private let out: UnsafeMutablePointer<WalEncoder>
    private var frames: [Frame] = []
    private var serials = 0
    private var failure: EncodingError?
    private var lastKeyedBy: ObjectIdentifier?
    private let isProbe: Bool

    private init(_ out: UnsafeMutablePointer<WalEncoder>, isProbe: Bool) {
        self.out = out
        self.isProbe = isProbe
        frames.reserveCapacity(8)
    }

    /// The key type, private to the standard library, by which dictionaries of strings, integers and the like encode
    /// themselves: seen once, to know them by it.
    private static let dictionaryKey: ObjectIdentifier? = {
        var scratch = WalEncoder()
        return withUnsafeMutablePointer(to: &scratch) { pointer in
            let writer = JSONWriter(pointer, isProbe: true)
            try? writer.encodeRoot(["": 0])
            return writer.lastKeyedBy
        }
    }()

    static func encode<T: Encodable>(_ value: T, into encoder: inout WalEncoder) throws(WalError) {
        let start = encoder.count
        do {
            try withUnsafeMutablePointer(to: &encoder) { try JSONWriter($0, isProbe: false).encodeRoot(value) }
        } catch {
            encoder.truncate(to: start)
            throw WalError(jsonEncoding: error)
        }
    }

    private func encodeRoot<T: Encodable>(_ value: T) throws {
        let slot = push(.slot, key: nil, element: 0)
        try encode(value, filling: slot)
        close(downTo: 0)
        if let failure { throw failure }
    }

    // MARK: Frames

    private func push(_ kind: Kind, key: String?, element: Int) -> JSONPlace {
        serials += 1
        frames.append(Frame(kind: kind, serial: serials, key: key, element: element))
        return JSONPlace(writer: self, index: frames.count - 1, serial: serials)
    }

    /// Closes and drops all frames but the first `count`.
    private func close(downTo count: Int) {
        while frames.count > count {
            let frame = frames.removeLast()
            switch frame.kind {
            case .slot: out.pointee.writeJSON(ascii: "{}")
            case .value: break
            case .object, .array:
                if frame.sorted > 0, frame.starts.count > 1 { sort(frame.starts) }
                out.pointee.write(frame.kind == .object ? UInt8(ascii: "}") : UInt8(ascii: "]"))
            }
        }
    }

    private func isOpen(_ place: JSONPlace) -> Bool {
        place.index < frames.count && frames[place.index].serial == place.serial
    }

    /// Makes the place the innermost one.
    private func enter(_ place: JSONPlace) throws {
        guard isOpen(place) else {
            throw fail("a container is written to after its parent went on; fill one before the next", [])
        }
        close(downTo: place.index + 1)
    }

    /// Remembers the failure as well, for not all that can fail can throw, and what is thrown can be swallowed.
    private func fail(_ message: String, _ path: [any CodingKey]) -> EncodingError {
        let error = EncodingError.invalidValue(
            Any?.none as Any, EncodingError.Context(codingPath: path, debugDescription: message))
        failure = failure ?? error
        return error
    }

    private func deadPlace(_ index: Int) -> JSONPlace { JSONPlace(writer: self, index: index, serial: -1) }

    func codingPath(_ index: Int) -> [any CodingKey] {
        guard frames.count > 1 else { return [] }
        return frames[1...min(max(index, 0), frames.count - 1)].map { frame in
            frame.key.map { JSONKey(stringValue: $0) } ?? JSONKey(intValue: frame.element)
        }
    }

    func count(_ place: JSONPlace) -> Int { isOpen(place) ? frames[place.index].count : 0 }

    /// Begins an object or array at a slot, or goes on with the one that is there.
    func open(_ place: JSONPlace, _ kind: Kind, keyedBy: Any.Type?) -> JSONPlace {
        guard isOpen(place) else {
            _ = fail("a container is asked for after its parent went on; fill one before the next", [])
            return deadPlace(place.index)
        }
        if frames[place.index].kind == kind { return place }
        guard frames[place.index].kind == .slot else {
            _ = fail("a value is encoded in two ways at once", codingPath(place.index))
            return deadPlace(place.index)
        }
        guard place.index < jsonDepthLimit else {
            _ = fail("a record nests deeper than \(jsonDepthLimit); make it flatter", codingPath(place.index))
            return deadPlace(place.index)
        }
        frames[place.index].kind = kind
        out.pointee.write(kind == .object ? UInt8(ascii: "{") : UInt8(ascii: "["))
        if isProbe {
            lastKeyedBy = keyedBy.map { ObjectIdentifier($0) }
        } else if let keyedBy {
            if ObjectIdentifier(keyedBy) == JSONWriter.dictionaryKey { frames[place.index].sorted = 1 }
        } else if let unordered = frames[place.index].type as? any JSONUnordered.Type {
            frames[place.index].sorted = unordered.elementsTogether
        }
        return place
    }

    /// Begins a member or element: what follows is its value.
    func member(_ place: JSONPlace, _ key: (any CodingKey)?) throws { _ = try begin(place, key?.stringValue) }

    func member(_ place: JSONPlace, _ key: some CodingKey) throws { _ = try begin(place, key.stringValue) }

    private func begin(_ place: JSONPlace, _ key: String?) throws -> Int {
        try enter(place)
        let count = frames[place.index].count
        if count > 0 { out.pointee.write(UInt8(ascii: ",")) }
        frames[place.index].count = count + 1
        let start = out.pointee.count
        if let key {
            out.pointee.writeJSON(string: key)
            if frames[place.index].sorted > 0 {
                // Without the quotes, which would sort "a!" before "a".
                frames[place.index].starts.append((start, out.pointee.count - 1))
            }
            out.pointee.write(UInt8(ascii: ":"))
        } else {
            let together = frames[place.index].sorted
            if together > 0, count % together == 0 { frames[place.index].starts.append((start, 0)) }
        }
        return count
    }

    /// Begins a member whose value is yet to come.
    func nested(_ place: JSONPlace, _ key: (any CodingKey)?) -> JSONPlace {
        let name = key?.stringValue
        guard let element = try? begin(place, name) else { return deadPlace(place.index) }
        return push(.slot, key: name, element: element)
    }

    /// The slot becomes a scalar, which the caller writes.
    func fill(_ place: JSONPlace) throws {
        try enter(place)
        guard frames[place.index].kind == .slot else {
            throw fail("a value is encoded in two ways at once", codingPath(place.index))
        }
        frames[place.index].kind = .value
    }

    // MARK: Values

    func encode<T: Encodable>(_ value: T, in place: JSONPlace, _ key: (any CodingKey)?) throws {
        try enter(place)
        let (start, starts) = (out.pointee.count, frames[place.index].starts.count)
        let name = key?.stringValue
        let element = try begin(place, name)
        let slot = push(.slot, key: name, element: element)
        do {
            try encode(value, filling: slot)
            close(downTo: slot.index)
        } catch {
            // The record may swallow the error and go on, so nothing of the member may stay.
            if isOpen(place) {
                frames.removeLast(frames.count - place.index - 1)
                frames[place.index].count = element
                frames[place.index].starts.removeLast(frames[place.index].starts.count - starts)
                out.pointee.truncate(to: start)
            }
            throw error
        }
    }

    func encode<T: Encodable>(_ value: T, filling slot: JSONPlace) throws {
        if T.self == [UInt8].self, let bytes = value as? [UInt8] {
            try fill(slot)
            bytes.withUnsafeBytes { out.pointee.writeJSON(base64: $0) }
        } else if T.self == Data.self, let data = value as? Data {
            try fill(slot)
            data.withUnsafeBytes { out.pointee.writeJSON(base64: $0) }
        } else if T.self == URL.self, let url = value as? URL {
            try fill(slot)
            write(url.absoluteString)
        } else if T.self == Decimal.self, let decimal = value as? Decimal {
            guard let number = JSONNumber(decimal.description) else {
                throw EncodingError.invalidValue(
                    value, .init(codingPath: codingPath(slot.index), debugDescription: "\(decimal) is no JSON number"))
            }
            try fill(slot)
            out.pointee.write(utf8: number.text)
        } else {
            try enter(slot)
            frames[slot.index].type = T.self
            try value.encode(to: JSONSlotEncoder(place: slot))
        }
    }

    func writeNull() { out.pointee.writeJSON(ascii: "null") }
    func write(_ value: Bool) { out.pointee.writeJSON(ascii: value ? "true" : "false") }
    func write(_ value: String) { out.pointee.writeJSON(string: value) }
    func write(integer value: some FixedWidthInteger) { out.pointee.writeJSON(integer: value) }
    func write(finite value: some BinaryFloatingPoint & CustomStringConvertible) {
        out.pointee.write(utf8: value.description)
    }

    func checkFinite(_ value: some BinaryFloatingPoint, _ index: Int, _ key: (any CodingKey)?) throws {
        guard !value.isFinite else { return }
        throw EncodingError.invalidValue(
            value,
            .init(
                codingPath: codingPath(index) + (key.map { [$0] } ?? []),
                debugDescription: "JSON has no \(value); store an optional or a string"))
    }

    // MARK: Order

    /// Puts the members or elements that begin at `starts` and end where the text does into order.
    private func sort(_ starts: [(start: Int, keyEnd: Int)]) {
        let base = starts[0].start
        let copy = out.pointee.withBytes { Array($0[base...]) }
        var parts: [(key: ArraySlice<UInt8>, whole: ArraySlice<UInt8>)] = []
        parts.reserveCapacity(starts.count)
        for (index, part) in starts.enumerated() {
            // A comma lies between two.
            let end = index + 1 < starts.count ? starts[index + 1].start - 1 - base : copy.count
            let keyEnd = part.keyEnd > 0 ? part.keyEnd - base : end
            parts.append((copy[part.start - base..<keyEnd], copy[part.start - base..<end]))
        }
        parts.sort { $0.key.lexicographicallyPrecedes($1.key) }
        out.pointee.truncate(to: base)
        for (index, part) in parts.enumerated() {
            if index > 0 { out.pointee.write(UInt8(ascii: ",")) }
            part.whole.withUnsafeBytes { out.pointee.write(bytes: $0) }
        }
    }
}

/// What the standard library encodes as an array in an order that is another in each process.
private protocol JSONUnordered {
    /// How many elements of that array belong together.
    static var elementsTogether: Int { get }
}

extension Set: JSONUnordered {
    fileprivate static var elementsTogether: Int { 1 }
}

extension Dictionary: JSONUnordered {
    fileprivate static var elementsTogether: Int { 2 }
}

extension WalError {
    /// What `Codable` threw while encoding.
    init(jsonEncoding error: any Error) {
        switch error {
        case let error as WalError: self = error
        case EncodingError.invalidValue(_, let context):
            self.init(
                .encoding, context.debugDescription, underlying: error,
                codingPath: context.codingPath.map(\.stringValue))
        default: self.init(.encoding, "the record could not be encoded as JSON", underlying: error)
        }
    }
}
