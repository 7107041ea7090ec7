/// Pieces of HTML and SVG. Every text that comes from outside goes through ``text(_:)``.
enum Markup {
    /// Text as it stands in an element or a quoted attribute.
    static func text(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            // A name may hold anything; a page has no place for these.
            case "\0"..<" ", "\u{7F}"..<"\u{A0}": escaped += " "
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// A coordinate, to a tenth of a pixel.
    static func number(_ value: Double) -> String { value.isFinite ? "\((value * 10).rounded() / 10)" : "0" }

    static func line(_ kind: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> String {
        "<line class=\"\(kind)\" x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\"/>"
    }

    static func label(_ kind: String, _ x: Double, _ y: Double, _ anchor: String = "start", _ text: String) -> String {
        "<text class=\"\(kind)\" x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">\(Markup.text(text))</text>"
    }

    static func picture(_ kind: String, _ width: Double, _ height: Double, _ name: String, _ content: String) -> String
    {
        "<svg class=\"\(kind)\" viewBox=\"0 0 \(number(width)) \(number(height))\" role=\"img\" aria-label=\"\(text(name))\">"
            + content + "</svg>"
    }

    /// - Parameter rows: what stands behind a line break in a cell is smaller.
    static func table(_ kind: String, _ heads: [String], _ rows: [[String]]) -> String {
        func row(_ cells: [String], _ tag: String) -> String {
            "<tr>" + cells.map { "<\(tag)>\(cell($0))</\(tag)>" }.joined() + "</tr>"
        }
        return "<div class=\"wide\"><table class=\"\(kind)\"><thead>\(row(heads, "th"))</thead><tbody>"
            + rows.map { row($0, "td") }.joined(separator: "\n") + "</tbody></table></div>"
    }

    private static func cell(_ content: String) -> String {
        let lines = content.split(separator: "\n", maxSplits: 1).map { text(String($0)) }
        return lines.count == 2 ? "\(lines[0])<br><small>\(lines[1])</small>" : text(content)
    }

    /// So much of a name as a chart has room for.
    static func short(_ name: String, _ count: Int) -> String {
        name.count <= count ? name : name.prefix(count - 1) + "…"
    }
}
