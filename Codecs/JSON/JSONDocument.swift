internal import WriteAheadLog

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// A parsed text from which a `Codable` record is decoded.
final class JSONDocument {
    let tape: JSONTape
    /// Where the last key that was asked for was found: `decodeIfPresent` asks three times.
    private var last: (object: Int, key: Int) = (-1, -1)
    /// What the type that asked last says of its past.
    private var past: (owner: ObjectIdentifier, evolution: Evolution)?
    /// The keys of objects that have many.
    private var indexes: [Int: [ExactKey: Int]] = [:]

    /// A key by its bytes; a `String` would take canonically equivalent ones for the same.
    private struct ExactKey: Hashable {
        let text: String
        static func == (left: Self, right: Self) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }
        func hash(into hasher: inout Hasher) {
            var text = text
            text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        }
    }

    init(_ tape: JSONTape) { self.tape = tape }

    static func decode<T: Decodable>(_: T.Type, from text: UnsafeRawBufferPointer) throws(WalError) -> T {
        let document = JSONDocument(try JSONTape(text))
        do { return try document.decode(T.self, 0) } catch {
            throw document.explained(WalError(jsonDecoding: error), T.self)
        }
    }

    // MARK: Structure

    func count(_ container: Int) -> Int {
        var (count, child) = (0, container + 1)
        while child < tape.next(container) {
            child = tape.next(child)
            count += 1
        }
        return count
    }

    /// Each key once, in the text's order.
    func keys(_ object: Int) -> [String] {
        var (keys, child) = ([String](), object + 1)
        var seen: Set<ExactKey> = []
        while child < tape.next(object) {
            let key = tape.string(child)
            if seen.insert(ExactKey(text: key)).inserted { keys.append(key) }
            child = tape.next(child + 1)
        }
        return keys
    }

    /// The value of the key's last occurrence.
    func find(_ key: String, _ object: Int) -> Int? {
        if last.object == object, isKey(last.key, key) { return last.key + 1 }
        if let index = indexes[object] { return index[ExactKey(text: key)] }
        var (found, seen, child) = (-1, 0, object + 1)
        let end = tape.next(object)
        while child < end {
            if isKey(child, key) { found = child }
            child = tape.next(child + 1)
            seen += 1
        }
        // A scan for each of many keys would take quadratic time.
        if seen > 32 { indexes[object] = makeIndex(object) }
        guard found >= 0 else { return nil }
        last = (object, found)
        return found + 1
    }

    /// The value of a field under a name that it had before. Optional fields that are not there come here too, so that the type is
    /// asked once whether it has a past, as long as the same one reads.
    @inline(never) func findEarlier(_ name: String, _ object: Int, _ owner: Any.Type) -> Int? {
        if past?.owner != ObjectIdentifier(owner) { past = (ObjectIdentifier(owner), Evolution(owner)) }
        guard let past, past.evolution.exists else { return nil }
        for alias in past.evolution.aliases(of: name) {
            if let found = find(alias, object) { return found }
        }
        return nil
    }

    private func makeIndex(_ object: Int) -> [ExactKey: Int] {
        var (index, child) = ([ExactKey: Int](), object + 1)
        while child < tape.next(object) {
            index[ExactKey(text: tape.string(child))] = child + 1
            child = tape.next(child + 1)
        }
        return index
    }

    private func isKey(_ token: Int, _ key: String) -> Bool {
        if tape.tokens[token].kind == .escapedString { return tape.string(token).utf8.elementsEqual(key.utf8) }
        let bytes = tape.bytes(token)
        return bytes.count == key.utf8.count && bytes.elementsEqual(key.utf8)
    }

    /// Found by a walk from the root, so that nobody pays for it who does not ask.
    func codingPath(_ target: Int) -> [any CodingKey] {
        var (path, container) = ([any CodingKey](), 0)
        descending: while container != target {
            let isObject = tape.tokens[container].kind == .object
            var (child, position) = (container + 1, 0)
            while child < tape.next(container) {
                let value = isObject ? child + 1 : child
                if target < tape.next(value) {
                    path.append(isObject ? JSONKey(stringValue: tape.string(child)) : JSONKey(intValue: position))
                    container = value
                    continue descending
                }
                child = tape.next(value)
                position += 1
            }
            break
        }
        return path
    }

    // MARK: Values

    func isNull(_ index: Int) -> Bool { tape.tokens[index].kind == .null }

    private func context(_ index: Int, _ message: String) -> DecodingError.Context {
        DecodingError.Context(codingPath: codingPath(index), debugDescription: message)
    }

    private func mismatch(_ index: Int, _ wanted: Any.Type) -> DecodingError {
        let kind = tape.tokens[index].kind
        if kind == .null {
            return .valueNotFound(wanted, context(index, "null where \(wanted) should be"))
        }
        return .typeMismatch(wanted, context(index, "a JSON \(kind) where \(wanted) should be"))
    }

    private func corrupt(_ index: Int, _ message: String) -> DecodingError {
        .dataCorrupted(context(index, message))
    }

    func expect(_ kind: JSONTape.Kind, _ index: Int, _ wanted: Any.Type) throws {
        guard tape.tokens[index].kind == kind else { throw mismatch(index, wanted) }
    }

    func bool(_ index: Int) throws -> Bool {
        switch tape.tokens[index].kind {
        case .true: return true
        case .false: return false
        default: throw mismatch(index, Bool.self)
        }
    }

    func string(_ index: Int) throws -> String {
        switch tape.tokens[index].kind {
        case .string, .escapedString: return tape.string(index)
        default: throw mismatch(index, String.self)
        }
    }

    func integer<T: FixedWidthInteger>(_ index: Int) throws -> T {
        try expect(.number, index, T.self)
        let text = tape.bytes(index)
        if text.count <= 18 {
            var (value, position) = (Int64(0), text.first == UInt8(ascii: "-") ? 1 : 0)
            while position < text.count, text[position] &- 48 < 10 {
                // Eighteen digits are far from overflow.
                value = value * 10 + Int64(text[position] - 48)
                position += 1
            }
            if position == text.count, let exact = T(exactly: text.first == UInt8(ascii: "-") ? -value : value) {
                return exact
            }
        }
        guard let value: T = JSONNumber.integer(text) else {
            throw corrupt(index, "\(String(decoding: text.prefix(64), as: UTF8.self)) is no \(T.self)")
        }
        return value
    }

    func float<T: BinaryFloatingPoint & LosslessStringConvertible>(_ index: Int) throws -> T {
        try expect(.number, index, T.self)
        let text = tape.bytes(index)
        guard let value = T(String(decoding: text, as: UTF8.self)), value.isFinite else {
            throw corrupt(index, "\(String(decoding: text.prefix(64), as: UTF8.self)) is beyond \(T.self)")
        }
        // Of another type than T: a short number is none that T would have to change.
        if text.count > T.exactDigits, !JSONNumber.isHeld(text, by: value) {
            throw corrupt(index, "\(String(decoding: text.prefix(64), as: UTF8.self)) is no exact \(T.self)")
        }
        return value
    }

    func decode<T: Decodable>(_: T.Type, _ index: Int) throws -> T {
        // An array of numbers is a type's own doing, which called `[UInt8].encode(to:)` itself.
        if T.self == [UInt8].self, tape.tokens[index].kind != .array, let value = try bytes(index) as? T {
            return value
        }
        if T.self == Data.self, tape.tokens[index].kind != .array, let value = Data(try bytes(index)) as? T {
            return value
        }
        if T.self == URL.self, tape.tokens[index].kind != .object {
            guard let url = URL(string: try string(index)), let value = url as? T else {
                throw corrupt(index, "a string that is no URL")
            }
            return value
        }
        if T.self == Decimal.self, let value = try decimal(index) as? T { return value }
        return try T(from: JSONNode(document: self, index: index, owner: T.self))
    }

    private func bytes(_ index: Int) throws -> [UInt8] {
        if tape.tokens[index].kind == .string {
            guard let bytes = Base64.decode(tape.bytes(index)) else {
                throw corrupt(index, "a string that is not base64")
            }
            return bytes
        }
        guard let bytes = Array(try string(index).utf8).withUnsafeBytes({ Base64.decode($0) }) else {
            throw corrupt(index, "a string that is not base64")
        }
        return bytes
    }

    private func decimal(_ index: Int) throws -> Decimal {
        try expect(.number, index, Decimal.self)
        let text = String(decoding: tape.bytes(index), as: UTF8.self)
        let wanted = JSONDecimalText(tape.bytes(index))
        // Anything longer is beyond a Decimal, and costs time.
        if wanted.digits.count <= 39, let value = Decimal(string: text), !value.isNaN {
            let got = Array(value.description.utf8).withUnsafeBytes { JSONDecimalText($0) }
            if got == wanted { return value }
        }
        throw corrupt(index, "\(text.prefix(64)) is no exact Decimal")
    }
}

extension WalError {
    /// What `Codable` threw while decoding.
    init(jsonDecoding error: any Error) {
        let context: DecodingError.Context
        switch error {
        case let error as WalError:
            self = error
            return
        case DecodingError.typeMismatch(_, let found), DecodingError.valueNotFound(_, let found),
            DecodingError.dataCorrupted(let found):
            context = found
        case DecodingError.keyNotFound(let key, let found):
            self.init(
                .decoding, "the record has no field \"\(key.stringValue)\"", underlying: error,
                codingPath: found.codingPath.map(\.stringValue) + [key.stringValue])
            return
        default:
            self.init(.decoding, "the record could not be decoded from JSON", underlying: error)
            return
        }
        self.init(
            .decoding, context.debugDescription, underlying: error, codingPath: context.codingPath.map(\.stringValue))
    }
}
