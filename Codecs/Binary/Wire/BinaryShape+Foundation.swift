#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

extension BinaryShape {
    /// Values of types that the format has forms of its own for.
    static func known(_ type: Any.Type) -> Any? {
        switch type {
        case is Data.Type: Data()
        case is Date.Type: Date(timeIntervalSinceReferenceDate: 0)
        case is UUID.Type: UUID()
        case is URL.Type: URL(string: "x:")
        case is Decimal.Type: Decimal()
        default: nil
        }
    }
}
