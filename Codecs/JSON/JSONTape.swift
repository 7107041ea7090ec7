internal import WriteAheadLog

/// Levels of arrays and objects that text and values may have: a reader's stack is finite.
let jsonDepthLimit = 512

/// JSON text, checked as strictly as RFC 8259 says and laid out flat: a token for each value and key, in the text's order.
///
/// A container's token knows where its contents end, so that a value is skipped in one step. The tape takes at most 24 bytes
/// for a byte of text. The text must outlive it.
struct JSONTape {
    enum Kind: UInt8 { case null, `false`, `true`, number, string, escapedString, array, object }

    struct Token {
        let kind: Kind
        /// The first byte of the text; of a string's contents.
        let start: Int
        /// A scalar: behind its last byte. A container: the index of the token behind its last.
        var end: Int
    }

    let text: UnsafeRawBufferPointer
    private(set) var tokens: [Token] = []

    init(_ text: UnsafeRawBufferPointer) throws(WalError) {
        self.text = text
        tokens.reserveCapacity(min(text.count / 8 + 4, 4_096))
        try parse()
    }

    func bytes(_ index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: text[tokens[index].start..<tokens[index].end])
    }

    /// The token behind the value that begins at `index`.
    func next(_ index: Int) -> Int {
        switch tokens[index].kind {
        case .array, .object: tokens[index].end
        default: index + 1
        }
    }

    /// The string, unescaped. The text was checked before.
    func string(_ index: Int) -> String {
        let bytes = bytes(index)
        guard tokens[index].kind == .escapedString else { return String(decoding: bytes, as: UTF8.self) }
        var plain: [UInt8] = []
        plain.reserveCapacity(bytes.count)
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == UInt8(ascii: "\\") else {
                plain.append(byte)
                position += 1
                continue
            }
            let escape = bytes[position + 1]
            position += 2
            switch escape {
            case UInt8(ascii: "b"): plain.append(0x08)
            case UInt8(ascii: "f"): plain.append(0x0C)
            case UInt8(ascii: "n"): plain.append(0x0A)
            case UInt8(ascii: "r"): plain.append(0x0D)
            case UInt8(ascii: "t"): plain.append(0x09)
            case UInt8(ascii: "u"):
                var scalar = Self.hex(bytes, position) ?? 0xFFFD
                position += 4
                if 0xD800..<0xDC00 ~= scalar {
                    let low = Self.hex(bytes, position + 2) ?? 0xDC00
                    scalar = 0x10000 + ((scalar & 0x3FF) << 10 | low & 0x3FF)
                    position += 6
                }
                plain.append(contentsOf: String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8)
            default: plain.append(escape)
            }
        }
        return String(decoding: plain, as: UTF8.self)
    }

    // MARK: Parsing

    private static func hex(_ bytes: UnsafeRawBufferPointer, _ position: Int) -> UInt32? {
        guard position >= 0, position <= bytes.count - 4 else { return nil }
        var value: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(byte - 48)
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(byte - 87)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(byte - 55)
            default: return nil
            }
        }
        return value
    }

    private func byte(_ position: Int) -> UInt8? { position < text.count ? text[position] : nil }

    private func unexpected(_ position: Int, _ wanted: StaticString) -> WalError {
        guard let byte = byte(position) else {
            return WalError(.decoding, "JSON text ends at byte \(position), where \(wanted) should be")
        }
        return WalError(.decoding, "JSON text has the byte 0x\(String(byte, radix: 16)) at \(position), not \(wanted)")
    }

    private func pastSpace(_ position: Int) -> Int {
        var position = position
        while let byte = byte(position), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
        return position
    }

    /// Iterative, so that hostile nesting costs no stack.
    private mutating func parse() throws(WalError) {
        var open: [Int] = []
        var position = pastSpace(0)
        parsing: while true {
            // Here a value begins.
            switch byte(position) {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard open.count < jsonDepthLimit else {
                    throw WalError(.decoding, "JSON text nests deeper than \(jsonDepthLimit), at byte \(position)")
                }
                let isObject = text[position] == UInt8(ascii: "{")
                open.append(tokens.count)
                tokens.append(Token(kind: isObject ? .object : .array, start: position, end: 0))
                position = pastSpace(position + 1)
                if byte(position) != (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    if isObject { position = try key(position) }
                    continue parsing
                }
            case UInt8(ascii: "\""): position = try string(position)
            case UInt8(ascii: "t"): position = try literal(position, "true", .true)
            case UInt8(ascii: "f"): position = try literal(position, "false", .false)
            case UInt8(ascii: "n"): position = try literal(position, "null", .null)
            case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")):
                position = try number(position)
            default: throw unexpected(position, "a value")
            }
            // Here one ended.
            while let container = open.last {
                position = pastSpace(position)
                let isObject = tokens[container].kind == .object
                if byte(position) == UInt8(ascii: ",") {
                    position = pastSpace(position + 1)
                    if isObject { position = try key(position) }
                    continue parsing
                }
                guard byte(position) == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    throw unexpected(position, isObject ? "a comma or brace" : "a comma or bracket")
                }
                tokens[container].end = tokens.count
                open.removeLast()
                position += 1
            }
            break
        }
        position = pastSpace(position)
        guard position == text.count else { throw unexpected(position, "the end") }
    }

    /// A key and its colon; returns where the value begins.
    private mutating func key(_ position: Int) throws(WalError) -> Int {
        guard byte(position) == UInt8(ascii: "\"") else { throw unexpected(position, "a key") }
        let colon = pastSpace(try string(position))
        guard byte(colon) == UInt8(ascii: ":") else { throw unexpected(colon, "a colon") }
        return pastSpace(colon + 1)
    }

    private mutating func literal(_ position: Int, _ word: StaticString, _ kind: Kind) throws(WalError) -> Int {
        for index in 0..<word.utf8CodeUnitCount {
            guard byte(position + index) == word.utf8Start[index] else { throw unexpected(position + index, word) }
        }
        tokens.append(Token(kind: kind, start: position, end: position + word.utf8CodeUnitCount))
        return position + word.utf8CodeUnitCount
    }

    private mutating func number(_ start: Int) throws(WalError) -> Int {
        guard let end = Self.numberEnd(text, start) else { throw unexpected(start, "a JSON number") }
        tokens.append(Token(kind: .number, start: start, end: end))
        return end
    }

    /// Where the number that begins at `start` ends; nil where there is none.
    static func numberEnd(_ text: UnsafeRawBufferPointer, _ start: Int) -> Int? {
        var position = start
        func at(_ byte: UInt8) -> Bool { position < text.count && text[position] == byte }
        func digits() -> Bool {
            let first = position
            while position < text.count, text[position] &- 48 < 10 { position += 1 }
            return position > first
        }
        if at(UInt8(ascii: "-")) { position += 1 }
        if at(UInt8(ascii: "0")) {
            position += 1
            if position < text.count, text[position] &- 48 < 10 { return nil }
        } else if !digits() {
            return nil
        }
        if at(UInt8(ascii: ".")) {
            position += 1
            if !digits() { return nil }
        }
        if at(UInt8(ascii: "e")) || at(UInt8(ascii: "E")) {
            position += 1
            if at(UInt8(ascii: "+")) || at(UInt8(ascii: "-")) { position += 1 }
            if !digits() { return nil }
        }
        return position
    }

    /// A string with its quotes; returns where it ends.
    private mutating func string(_ quote: Int) throws(WalError) -> Int {
        var position = quote + 1
        var (isEscaped, isASCII) = (false, true)
        scanning: while true {
            guard let byte = byte(position) else { throw unexpected(position, "a string's end") }
            switch byte {
            case UInt8(ascii: "\""): break scanning
            case UInt8(ascii: "\\"):
                isEscaped = true
                position = try escape(position)
            case 0..<0x20: throw unexpected(position, "a control character's escape")
            default:
                if byte >= 0x80 { isASCII = false }
                position += 1
            }
        }
        if !isASCII {
            let contents = UnsafeRawBufferPointer(rebasing: text[quote + 1..<position])
            let elements = Span<UInt8>(_unsafeElements: contents.assumingMemoryBound(to: UInt8.self))
            do { _ = try UTF8Span(validating: elements) } catch {
                throw WalError(.decoding, "a JSON string that is not UTF-8, at byte \(quote)", underlying: error)
            }
        }
        tokens.append(Token(kind: isEscaped ? .escapedString : .string, start: quote + 1, end: position))
        return position + 1
    }

    /// Checks one escape sequence, or the two of a surrogate pair; returns where it ends.
    private func escape(_ position: Int) throws(WalError) -> Int {
        switch byte(position + 1) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return position + 2
        case UInt8(ascii: "u"):
            guard let first = Self.hex(text, position + 2) else {
                throw unexpected(position + 2, "four hexadecimal digits")
            }
            guard 0xD800..<0xE000 ~= first else { return position + 6 }
            guard first < 0xDC00, byte(position + 6) == UInt8(ascii: "\\"), byte(position + 7) == UInt8(ascii: "u"),
                let second = Self.hex(text, position + 8), 0xDC00..<0xE000 ~= second
            else { throw WalError(.decoding, "half a surrogate pair in a JSON string, at byte \(position)") }
            return position + 12
        default: throw unexpected(position + 1, "a known escape")
        }
    }
}
