import WalBinary
import WriteAheadLog

/// What a type of these tests is: by `Codable` and by hand, at the top and within another.
protocol Versioned: Codable, Equatable, WalDirectCodable, WalBinaryValue {}
extension Versioned {
    // Builds of one app: their files name the same type.
    static var walTypeName: String { "evolution.Record" }
}

/// One that holds others.
struct Nest<Inner: Versioned>: Versioned {
    var inner: Inner
    var list: [Inner]
    init(_ inner: Inner) { (self.inner, list) = (inner, [inner]) }

    func encode(into encoder: inout WalEncoder) {
        encoder.beginMap()
        encoder.field("inner", inner)
        encoder.field("list", list)
        encoder.endMap()
    }
    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginFields()
        inner = try decoder.field("inner", in: &fields)
        list = try decoder.field("list", in: &fields)
        try decoder.endFields(&fields)
    }
}

// MARK: Structs

struct Person: Versioned {
    var id: Int
    var name: String
    init(id: Int, name: String) { (self.id, self.name) = (id, name) }
    func encode(into encoder: inout WalEncoder) {
        encoder.beginMap()
        encoder.field("id", id)
        encoder.field("name", name)
        encoder.endMap()
    }
    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginFields()
        id = try decoder.field("id", in: &fields)
        name = try decoder.field("name", in: &fields)
        try decoder.endFields(&fields)
    }
}

struct PersonWithNote: Versioned {
    var id: Int
    var name: String
    var note: String?
    init(id: Int, name: String, note: String?) { (self.id, self.name, self.note) = (id, name, note) }
    func encode(into encoder: inout WalEncoder) {
        encoder.beginMap()
        encoder.field("id", id)
        encoder.field("name", name)
        encoder.fieldIfPresent("note", note)
        encoder.endMap()
    }
    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginFields()
        id = try decoder.field("id", in: &fields)
        name = try decoder.field("name", in: &fields)
        note = try decoder.fieldIfPresent("note", in: &fields)
        try decoder.endFields(&fields)
    }
}

struct PersonWithRequiredNote: Versioned {
    var id: Int
    var name: String
    var note: String
    init(id: Int, name: String, note: String) { (self.id, self.name, self.note) = (id, name, note) }
    func encode(into encoder: inout WalEncoder) {
        encoder.beginMap()
        encoder.field("id", id)
        encoder.field("name", name)
        encoder.field("note", note)
        encoder.endMap()
    }
    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginFields()
        id = try decoder.field("id", in: &fields)
        name = try decoder.field("name", in: &fields)
        note = try decoder.field("note", in: &fields)
        try decoder.endFields(&fields)
    }
}

struct PersonWithLimit: Versioned, WalEvolving {
    var id: Int
    var name: String
    var limit: Int
    static var walDefaults: [String: any Sendable] { ["limit": 10] }
    init(id: Int, name: String, limit: Int) { (self.id, self.name, self.limit) = (id, name, limit) }
    func encode(into encoder: inout WalEncoder) {
        encoder.beginMap()
        encoder.field("id", id)
        encoder.field("name", name)
        encoder.field("limit", limit)
        encoder.endMap()
    }
    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginFields()
        id = try decoder.field("id", in: &fields)
        name = try decoder.field("name", in: &fields)
        limit = try decoder.field("limit", aliases: [], default: 10, in: &fields)
        try decoder.endFields(&fields)
    }
}

struct PersonWithoutName: Versioned {
    var id: Int
    init(id: Int) { self.id = id }
    func encode(into encoder: inout WalEncoder) {
        encoder.beginMap()
        encoder.field("id", id)
        encoder.endMap()
    }
    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginFields()
        id = try decoder.field("id", in: &fields)
        try decoder.endFields(&fields)
    }
}

struct PersonReordered: Versioned {
    var name: String
    var id: Int
    init(id: Int, name: String) { (self.id, self.name) = (id, name) }
    func encode(into encoder: inout WalEncoder) {
        encoder.beginMap()
        encoder.field("name", name)
        encoder.field("id", id)
        encoder.endMap()
    }
    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginFields()
        name = try decoder.field("name", in: &fields)
        id = try decoder.field("id", in: &fields)
        try decoder.endFields(&fields)
    }
}

struct PersonRenamed: Versioned, WalEvolving {
    var id: Int
    var title: String
    static var walAliases: [String: [String]] { ["title": ["called", "name"]] }
    init(id: Int, title: String) { (self.id, self.title) = (id, title) }
    func encode(into encoder: inout WalEncoder) {
        encoder.beginMap()
        encoder.field("id", id)
        encoder.field("title", title)
        encoder.endMap()
    }
    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginFields()
        id = try decoder.field("id", in: &fields)
        title = try decoder.field("title", aliases: ["called", "name"], in: &fields)
        try decoder.endFields(&fields)
    }
}

struct PersonTitled: Versioned {
    var id: Int
    var title: String
    init(id: Int, title: String) { (self.id, self.title) = (id, title) }
    func encode(into encoder: inout WalEncoder) {
        encoder.beginMap()
        encoder.field("id", id)
        encoder.field("title", title)
        encoder.endMap()
    }
    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginFields()
        id = try decoder.field("id", in: &fields)
        title = try decoder.field("title", in: &fields)
        try decoder.endFields(&fields)
    }
}

/// A struct of one field, whose type is what changes.
struct Holder<Value: Codable & Equatable & WalBinaryValue & Sendable>: Versioned {
    var value: Value
    init(_ value: Value) { self.value = value }
    func encode(into encoder: inout WalEncoder) {
        encoder.beginMap()
        encoder.field("value", value)
        encoder.endMap()
    }
    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginFields()
        value = try decoder.field("value", in: &fields)
        try decoder.endFields(&fields)
    }
}

enum Colour: String, Codable, WalBinaryValue, Sendable { case red, green }
enum MoreColours: String, Codable, WalBinaryValue, Sendable { case red, green, blue }

// MARK: Enums

enum Command: Versioned {
    case put(key: String)
    case clear
    func encode(into encoder: inout WalEncoder) {
        switch self {
        case .put(let key):
            encoder.beginCase("put")
            encoder.field("key", key)
        case .clear: encoder.beginCase("clear")
        }
        encoder.endCase()
    }
    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginCase()
        if fields.isCase("put") {
            self = .put(key: try decoder.field("key", in: &fields))
        } else if fields.isCase("clear") {
            self = .clear
        } else {
            throw decoder.unknownCase(fields)
        }
        try decoder.endCase(&fields)
    }
}

enum CommandWithMove: Versioned {
    case put(key: String)
    case clear
    case move(from: String, to: String)
    func encode(into encoder: inout WalEncoder) {
        switch self {
        case .put(let key):
            encoder.beginCase("put")
            encoder.field("key", key)
        case .clear: encoder.beginCase("clear")
        case .move(let from, let to):
            encoder.beginCase("move")
            encoder.field("from", from)
            encoder.field("to", to)
        }
        encoder.endCase()
    }
    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginCase()
        if fields.isCase("put") {
            self = .put(key: try decoder.field("key", in: &fields))
        } else if fields.isCase("clear") {
            self = .clear
        } else if fields.isCase("move") {
            self = .move(from: try decoder.field("from", in: &fields), to: try decoder.field("to", in: &fields))
        } else {
            throw decoder.unknownCase(fields)
        }
        try decoder.endCase(&fields)
    }
}

/// `put` was renamed, and its key too.
enum CommandRenamed: Versioned, WalEvolving {
    case store(name: String)
    case clear
    static var walAliases: [String: [String]] { ["store": ["put"], "name": ["key"]] }
    func encode(into encoder: inout WalEncoder) {
        switch self {
        case .store(let name):
            encoder.beginCase("store")
            encoder.field("name", name)
        case .clear: encoder.beginCase("clear")
        }
        encoder.endCase()
    }
    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginCase()
        if fields.isCase("store") || fields.isCase("put") {
            self = .store(name: try decoder.field("name", aliases: ["key"], in: &fields))
        } else if fields.isCase("clear") {
            self = .clear
        } else {
            throw decoder.unknownCase(fields)
        }
        try decoder.endCase(&fields)
    }
}
