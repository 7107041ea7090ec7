/// Numbers for people, without Foundation.
enum NumberText {
    /// "1234567" becomes "1,234,567".
    static func grouped(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var text = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return value < 0 ? "-" + text : text
    }

    /// With so many digits behind the point.
    static func decimal(_ value: Double, _ digits: Int) -> String {
        let power = [1.0, 10, 100, 1000][min(max(digits, 0), 3)]
        guard value.isFinite, let scaled = Int(exactly: (value * power).rounded()) else { return "–" }
        let (whole, rest) = scaled.magnitude.quotientAndRemainder(dividingBy: UInt(power))
        let sign = scaled < 0 ? "-" : ""
        guard digits > 0 else { return sign + grouped(Int(clamping: whole)) }
        let fraction = String(rest)
        let zeros = String(repeating: "0", count: max(min(digits, 3) - fraction.count, 0))
        return "\(sign)\(grouped(Int(clamping: whole))).\(zeros)\(fraction)"
    }

    /// Bytes a record.
    static func bytes(_ value: Double) -> String { decimal(value, value < 10_000 ? 1 : 0) }

    /// Something a second: three digits.
    static func rate(_ value: Double) -> String {
        switch value {
        case ..<10: return decimal(value, 2)
        case ..<100: return decimal(value, 1)
        default:
            var unit = 1.0
            while value / unit >= 1000 { unit *= 10 }
            return decimal((value / unit).rounded() * unit, 0)
        }
    }

    /// A time, from nanoseconds.
    static func time(_ nanoseconds: Double) -> String {
        switch nanoseconds {
        case ..<1000: decimal(nanoseconds, nanoseconds < 100 ? 1 : 0) + " ns"
        case ..<1e6: decimal(nanoseconds / 1e3, nanoseconds < 1e5 ? 2 : 0) + " µs"
        case ..<1e9: decimal(nanoseconds / 1e6, nanoseconds < 1e8 ? 2 : 0) + " ms"
        default: decimal(nanoseconds / 1e9, 2) + " s"
        }
    }

    /// A mark on an axis of times: without zeros at its end.
    static func tick(_ nanoseconds: Double) -> String {
        if nanoseconds == 0 { return "0" }
        let (value, unit) =
            switch nanoseconds {
            case ..<1e3: (nanoseconds, "ns")
            case ..<1e6: (nanoseconds / 1e3, "µs")
            case ..<1e9: (nanoseconds / 1e6, "ms")
            default: (nanoseconds / 1e9, "s")
            }
        return "\(short(value)) \(unit)"
    }

    /// Up to two digits behind the point, without zeros at its end.
    static func short(_ value: Double) -> String {
        let digits = (0...2).first { digits in
            let power = [1.0, 10, 100][digits]
            return abs((value * power).rounded() / power - value) < 1e-9 * max(abs(value), 1)
        }
        return decimal(value, digits ?? 2)
    }

    /// Memory.
    static func memory(_ bytes: Int?) -> String {
        guard let bytes else { return "–" }
        return bytes < 1 << 20 ? "\(bytes >> 10) KiB" : decimal(Double(bytes) / Double(1 << 20), 1) + " MiB"
    }

    /// "2026-11-25 13:31 UTC", from seconds since 1970 (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    static func date(_ seconds: UInt64) -> String {
        let day = Int(clamping: seconds / 86_400)
        let shifted = min(day, 1 << 40) + 719_468
        let era = shifted / 146_097
        let ofEra = shifted % 146_097
        let year = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * year + year / 4 - year / 100)
        let month = (5 * ofYear + 2) / 153
        let civilMonth = month < 10 ? month + 3 : month - 9
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let minutes = Int(seconds % 86_400) / 60
        return
            "\(year + era * 400 + (civilMonth <= 2 ? 1 : 0))-\(two(civilMonth))-\(two(ofYear - (153 * month + 2) / 5 + 1))"
            + " \(two(minutes / 60)):\(two(minutes % 60)) UTC"
    }
}
