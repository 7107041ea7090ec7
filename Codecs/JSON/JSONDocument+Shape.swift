internal import WriteAheadLog

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

extension JSONDocument {
    /// The error with what the record holds and what this build wants.
    func explained<T>(_ error: WalError, _: T.Type) -> WalError {
        error.comparing(tape.text, with: { .of(T.self, names: $0, known: Self.known) }) { text in
            // A large record's copy ends somewhere, and is no text then.
            guard let tape = try? JSONTape(text) else { return (nil, [], nil) }
            var names: [String] = []
            var budget = 200
            let written = JSONDocument(tape).shape(0, 0, &names, &budget)
            return (written, names, nil)
        }
    }

    private func shape(_ index: Int, _ depth: Int, _ names: inout [String], _ budget: inout Int) -> WalSchema {
        budget -= 1
        guard depth < 12, budget > 0 else { return .value("…") }
        var child = index + 1
        let end = tape.next(index)
        switch tape.tokens[index].kind {
        case .object:
            var fields: [WalSchema.Field] = []
            while child < end {
                let name = tape.string(child)
                names.append(name)
                if fields.count < 24 { fields.append(.init(name, shape(child + 1, depth + 1, &names, &budget))) }
                child = tape.next(child + 1)
            }
            return .structure("", fields)
        case .array: return .array(child < end ? shape(child, depth + 1, &names, &budget) : .value("nothing"))
        case .string, .escapedString: return .value("text")
        case .number: return .value("number")
        case .true, .false: return .value("boolean")
        case .null: return .value("null")
        }
    }

    /// Values of types that the format has forms of its own for.
    private static func known(_ type: Any.Type) -> Any? {
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
