/// A key that was read, for coding paths and dictionaries.
struct BinaryKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ stringValue: String, intValue: Int? = nil) {
        self.stringValue = stringValue
        self.intValue = intValue
    }
    init(index: Int) { self.init(String(index), intValue: index) }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { self.init(index: intValue) }

    static let `super` = BinaryKey("super")
}
