internal import WriteAheadLog

/// RFC 4648, section 4: the standard alphabet, padded.
enum Base64 {
    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    static func encode(_ bytes: UnsafeRawBufferPointer, into encoder: inout WalEncoder) {
        let letters = alphabet.utf8Start
        encoder.write(upTo: (bytes.count + 2) / 3 * 4) { room in
            var (from, to) = (0, 0)
            while from < bytes.count {
                let left = bytes.count - from
                let group =
                    UInt32(bytes[from]) << 16 | UInt32(left > 1 ? bytes[from + 1] : 0) << 8
                    | UInt32(left > 2 ? bytes[from + 2] : 0)
                room[to] = letters[Int(group >> 18)]
                room[to + 1] = letters[Int(group >> 12 & 63)]
                room[to + 2] = left > 1 ? letters[Int(group >> 6 & 63)] : UInt8(ascii: "=")
                room[to + 3] = left > 2 ? letters[Int(group & 63)] : UInt8(ascii: "=")
                from += 3
                to += 4
            }
            return to
        }
    }

    /// Nil unless the text is the one that ``encode(_:into:)`` writes for some bytes.
    static func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        for start in stride(from: 0, to: text.count, by: 4) {
            var padding = 0
            if start + 4 == text.count, text[start + 3] == UInt8(ascii: "=") {
                padding = text[start + 2] == UInt8(ascii: "=") ? 2 : 1
            }
            var group: UInt32 = 0
            for index in 0..<4 - padding {
                guard let six = value(of: text[start + index]) else { return nil }
                group |= six << UInt32(18 - 6 * index)
            }
            // Bits that no byte takes must be zero, so that no two texts mean the same bytes.
            if padding == 1, group & 0xFF != 0 { return nil }
            if padding == 2, group & 0xFFFF != 0 { return nil }
            bytes.append(UInt8(truncatingIfNeeded: group >> 16))
            if padding < 2 { bytes.append(UInt8(truncatingIfNeeded: group >> 8)) }
            if padding < 1 { bytes.append(UInt8(truncatingIfNeeded: group)) }
        }
        return bytes
    }

    private static func value(of letter: UInt8) -> UInt32? {
        switch letter {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(letter) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(letter) - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(letter) + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
