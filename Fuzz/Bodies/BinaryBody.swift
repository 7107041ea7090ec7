internal import Foundation
internal import WalBinary
internal import WriteAheadLog

enum BinaryBody {
    static func runCodable(_ input: inout FuzzInput) throws(FuzzFailure) {
        let kind = input.byte()
        let bytes = Array(input.rest)
        switch kind % 12 {
        case 0: try codable(FuzzOrder.self, bytes)
        case 1: try codable(FuzzEvent.self, bytes)
        case 2: try codable(FuzzTree.self, bytes)
        case 3: try codable(FuzzBox<[Decimal]>.self, bytes)
        case 4: try codable(FuzzBox<[String: [Int: Set<String>]]>.self, bytes)
        case 5: try codable(FuzzBox<[Int128]>.self, bytes)
        case 6: try codable(FuzzBox<[Date: Float]>.self, bytes)
        case 7: try codable(FuzzBox<[URL]>.self, bytes)
        case 8: try codable(FuzzBox<[UUID: Data]>.self, bytes)
        case 9: try codable(FuzzBox<[FuzzOrder]>.self, bytes, element: MemoryLayout<FuzzOrder>.stride)
        case 10: _ = try CodecBody.decode(CodableBinaryCodec<FuzzWanderer>(), bytes)
        default: try codable(FuzzBox<[[Bool?]]>.self, bytes)
        }
    }

    static func runDirect(_ input: inout FuzzInput) throws(FuzzFailure) {
        let kind = input.byte()
        let bytes = Array(input.rest)
        switch kind % 11 {
        case 0: try direct(FuzzOrder.self, bytes)
        case 1: try direct(FuzzEvent.self, bytes)
        case 2: try direct(FuzzTree.self, bytes)
        case 3: try direct(FuzzBox<[Decimal]>.self, bytes)
        case 4: try direct(FuzzBox<[String: [Int: Set<String>]]>.self, bytes)
        case 5: try direct(FuzzBox<[Int128]>.self, bytes)
        case 6: try direct(FuzzBox<[Date: Float]>.self, bytes)
        case 7: try direct(FuzzBox<[URL]>.self, bytes)
        case 8: try direct(FuzzBox<[UUID: Data]>.self, bytes)
        case 9: try direct(FuzzBox<[FuzzOrder]>.self, bytes, element: MemoryLayout<FuzzOrder>.stride)
        default: try direct(FuzzBox<[[Bool?]]>.self, bytes)
        }
    }

    private static func codable<R: Codable & WalDirectCodable>(
        _: R.Type, _ bytes: [UInt8], element: Int = 0
    ) throws(FuzzFailure) {
        let limit = FuzzTarget.allocationLimit(bytes.count, element: element)
        guard let written = try CodecBody.check(CodableBinaryCodec<R>(), bytes, limit: limit) else { return }
        // By contract a hand-written coder reads and writes the same bytes.
        guard try CodecBody.check(DirectBinaryCodec<R>(), written, limit: limit + 2048 * written.count) == written
        else {
            throw FuzzFailure("direct coding differs from Codable: \(written)")
        }
    }

    private static func direct<R: Codable & WalDirectCodable>(
        _: R.Type, _ bytes: [UInt8], element: Int = 0
    ) throws(FuzzFailure) {
        let limit = FuzzTarget.allocationLimit(bytes.count, element: element)
        guard let written = try CodecBody.check(DirectBinaryCodec<R>(), bytes, limit: limit) else { return }
        guard try CodecBody.check(CodableBinaryCodec<R>(), written, limit: limit + 2048 * written.count) == written
        else {
            throw FuzzFailure("Codable differs from direct coding: \(written)")
        }
    }
}

/// Decodes in every way that a container offers, in an order that no synthesized code has.
struct FuzzWanderer: Codable, WalCodable {
    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    private var numbers: [Int] = []

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        numbers.append(container.allKeys.count)
        // From the last to the first, each twice, and what is not there between.
        for key in container.allKeys.suffix(16).reversed() {
            guard container.contains(key), try !container.decodeNil(forKey: key) else { continue }
            _ = container.contains(Key(""))
            if var elements = try? container.nestedUnkeyedContainer(forKey: key) {
                _ = elements.count
                while !elements.isAtEnd {
                    if try elements.decodeNil() { continue }
                    if let number = try? elements.decode(Int.self) {
                        numbers.append(number)
                        continue
                    }
                    if let inner = try? elements.nestedContainer(keyedBy: Key.self) {
                        numbers.append(inner.allKeys.count)
                        continue
                    }
                    _ = try elements.superDecoder()
                    numbers.append(elements.currentIndex)
                }
            } else if let inner = try? container.nestedContainer(keyedBy: Key.self, forKey: key) {
                numbers.append(inner.allKeys.count)
                numbers.append(try inner.decodeIfPresent(Int.self, forKey: Key("a")) ?? 0)
                // The outer one while the inner one is half read.
                _ = try container.decodeNil(forKey: key)
                numbers.append(try inner.decodeIfPresent(Int.self, forKey: Key("b")) ?? 0)
                _ = try? inner.decode(FuzzWanderer.self, forKey: Key("c"))
            } else {
                numbers.append((try? container.decode(Int.self, forKey: key)) ?? (container.codingPath.count - 1))
                _ = try? container.decode(String.self, forKey: key)
            }
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(numbers, forKey: Key("numbers"))
    }
}
