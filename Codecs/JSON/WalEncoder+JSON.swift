internal import WriteAheadLog

/// The least JSON text for each kind of scalar.
extension WalEncoder {
    mutating func writeJSON(ascii text: StaticString) {
        write(bytes: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Quotes the string, and escapes what RFC 8259 says must be escaped and nothing else.
    mutating func writeJSON(string: String) {
        var string = string
        string.withUTF8 { utf8 in
            write(UInt8(ascii: "\""))
            var clean = 0
            for index in utf8.indices where utf8[index] < 0x20 || utf8[index] == 0x22 || utf8[index] == 0x5C {
                write(bytes: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(utf8)[clean..<index]))
                writeEscape(utf8[index])
                clean = index + 1
            }
            write(bytes: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(utf8)[clean...]))
            write(UInt8(ascii: "\""))
        }
    }

    private mutating func writeEscape(_ byte: UInt8) {
        write(UInt8(ascii: "\\"))
        switch byte {
        case 0x22, 0x5C: write(byte)
        case 0x08: write(UInt8(ascii: "b"))
        case 0x09: write(UInt8(ascii: "t"))
        case 0x0A: write(UInt8(ascii: "n"))
        case 0x0C: write(UInt8(ascii: "f"))
        case 0x0D: write(UInt8(ascii: "r"))
        default:
            writeJSON(ascii: "u00")
            for digit in [byte >> 4, byte & 0xF] {
                write(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            }
        }
    }

    mutating func writeJSON(integer value: some FixedWidthInteger) {
        guard let small = UInt64(exactly: value.magnitude) else { return write(utf8: String(value)) }
        // Twenty digits and a sign.
        write(upTo: 21) { room in
            var start = 0
            if value < 0 {
                room[0] = UInt8(ascii: "-")
                start = 1
            }
            var end = start
            var rest = small
            repeat {
                room[end] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
                end += 1
            } while rest > 0
            // The least digit came first.
            var (low, high) = (start, end - 1)
            while low < high {
                room.swapAt(low, high)
                low += 1
                high -= 1
            }
            return end
        }
    }

    mutating func writeJSON(base64 bytes: UnsafeRawBufferPointer) {
        write(UInt8(ascii: "\""))
        Base64.encode(bytes, into: &self)
        write(UInt8(ascii: "\""))
    }
}
