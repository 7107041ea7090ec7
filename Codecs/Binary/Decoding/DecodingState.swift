internal import WriteAheadLog

/// How far a map or an array has been read.
///
/// It is a cache of facts about the bytes: a container that finds another one's frame at its depth starts a new one, so that
/// containers may be used in any order.
struct DecodingFrame {
    /// Where the map or array begins, which names it.
    var value: UnsafeRawPointer
    /// The next key or element; while `isPending`, the value last handed out.
    var cursor: UnsafeRawPointer
    /// Entries from the cursor on, -1 where only their end says.
    var left: Int
    /// The key last looked up, for coding paths; nil in an array.
    var key: UnsafeRawPointer?
    /// The element last handed out.
    var element: Int
    var isMap: Bool
    /// Where the value last handed out ends is not known yet.
    var isPending: Bool
}

/// A map or an array as its head describes it.
struct ContainerHead {
    var first: UnsafeRawPointer
    var count: Int
}

/// The bytes of a record, and how far its containers have been read.
struct DecodingState {
    /// Nil once the record has been read: containers that were kept find nothing.
    var input: UnsafeMutablePointer<WalDecoder>?
    /// Where the record begins.
    let start: UnsafeRawPointer
    private(set) var frames: UnsafeMutablePointer<DecodingFrame>
    private var capacity: Int
    /// Whether the frames outgrew the room that the session has for them.
    private var ownsFrames = false

    /// - Parameter frames: room for `capacity` of them, uninitialised, which the session gives back.
    init(input: UnsafeMutablePointer<WalDecoder>, frames: UnsafeMutablePointer<DecodingFrame>, capacity: Int) {
        self.input = input
        start = input.pointee.start
        self.frames = frames
        self.capacity = capacity
        frames.initialize(repeating: DecodingState.none(start), count: capacity)
    }

    func deallocateFrames() {
        if ownsFrames { frames.deallocate() }
    }

    private static func none(_ start: UnsafeRawPointer) -> DecodingFrame {
        // No value begins before the record.
        DecodingFrame(
            value: start - 1, cursor: start, left: 0, key: nil, element: 0, isMap: false, isPending: false)
    }

    private mutating func growFrames() {
        let larger = UnsafeMutablePointer<DecodingFrame>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: frames, count: capacity)
        (larger + capacity).initialize(repeating: DecodingState.none(start), count: capacity)
        deallocateFrames()
        frames = larger
        ownsFrames = true
        capacity *= 2
    }

    @inline(__always) func source() throws(WalError) -> UnsafeMutablePointer<WalDecoder> {
        guard let input else {
            throw WalError(.decoding, "a container was read after its record; read it within init(from:)")
        }
        return input
    }

    /// Reads the head of the map or array at `value`.
    mutating func open(
        _ value: UnsafeRawPointer, depth: Int, isMap: Bool
    ) throws(WalError) -> ContainerHead {
        let input = try source()
        input.pointee.position = value
        guard depth < CBOR.maximumDepth else { throw WalDecoder.tooDeep(at: input.pointee.offset) }
        // The depth is known here, so that the look ahead which hand-written decoders need is not.
        let fields =
            isMap
            ? try input.pointee.beginContainer(CBOR.map, "a map", atLeast: 2, checksDepth: false)
            : try input.pointee.beginContainer(CBOR.array, "an array", atLeast: 1, checksDepth: false)
        if depth >= capacity { growFrames() }
        let head = ContainerHead(first: fields.first, count: fields.total)
        if frames[depth].value != value || frames[depth].isMap != isMap {
            restart(value, head, depth: depth, isMap: isMap)
        }
        return head
    }

    mutating func restart(_ value: UnsafeRawPointer, _ head: ContainerHead, depth: Int, isMap: Bool) {
        frames[depth] = DecodingFrame(
            value: value, cursor: head.first, left: head.count, key: nil, element: 0, isMap: isMap, isPending: false)
    }

    /// Where the value at `start` ends, which is one of a container at `depth`.
    func end(of start: UnsafeRawPointer, depth: Int) throws(WalError) -> UnsafeRawPointer {
        let input = try source()
        let inner = depth &+ 1
        // Whoever read the value may have been through most of it.
        if inner < capacity, frames[inner].value == start {
            let frame = frames[inner]
            input.pointee.position = frame.isPending ? try end(of: frame.cursor, depth: inner) : frame.cursor
            let width = frame.isMap ? 2 : 1
            if frame.left < 0 {
                while input.pointee.peek() != CBOR.end {
                    for _ in 0..<width { try input.pointee.skipValue() }
                }
                try input.pointee.skip(1)
            } else {
                for _ in 0..<frame.left { for _ in 0..<width { try input.pointee.skipValue() } }
            }
        } else {
            input.pointee.position = start
            try input.pointee.skipValue()
        }
        return input.pointee.position
    }

    // MARK: Maps

    /// Finds the value of a key in the map at `value`, wherever in it the key is.
    mutating func find(
        _ name: UnsafeBufferPointer<UInt8>, in value: UnsafeRawPointer, _ head: ContainerHead, depth: Int
    ) throws(WalError) -> UnsafeRawPointer? {
        let input = try source()
        if frames[depth].value != value { restart(value, head, depth: depth, isMap: true) }
        let frame = frames + depth
        if frame.pointee.isPending {
            // Asked again, as decodeNil and decode in turn do.
            if let key = frame.pointee.key {
                input.pointee.position = key
                if try input.pointee.passKey(name) { return frame.pointee.cursor }
            }
            frame.pointee.cursor = try end(of: frame.pointee.cursor, depth: depth)
            frame.pointee.isPending = false
        }
        let here = frame.pointee.cursor
        var left = frame.pointee.left
        input.pointee.position = here
        // Forward first, where the key is next if the record was written by this build.
        while left < 0 ? input.pointee.peek() != CBOR.end : left > 0 {
            let key = input.pointee.position
            if left > 0 { left &-= 1 }
            if try input.pointee.passKey(name) {
                frame.pointee.key = key
                frame.pointee.cursor = input.pointee.position
                frame.pointee.left = left
                frame.pointee.isPending = true
                return input.pointee.position
            }
            try input.pointee.skipValue()
        }
        input.pointee.position = head.first
        while input.pointee.position < here {
            let key = input.pointee.position
            if try input.pointee.passKey(name) {
                frame.pointee.key = key
                return input.pointee.position
            }
            try input.pointee.skipValue()
        }
        return nil
    }

    /// Shows all keys of a map, in order.
    @inline(__always)
    func forEachKey(_ head: ContainerHead, _ body: (String) -> Void) throws(WalError) {
        let input = try source()
        var left = head.count
        input.pointee.position = head.first
        while left < 0 ? input.pointee.peek() != CBOR.end : left > 0 {
            if left > 0 { left &-= 1 }
            if let initial = input.pointee.peek(), initial & 0xE0 == CBOR.text {
                body(try String(from: &input.pointee))
            } else {
                try input.pointee.skipValue()
            }
            try input.pointee.skipValue()
        }
    }

    // MARK: Coding path

    /// The keys that lead to a value in a container at `depth - 1`.
    func path(_ depth: Int) -> [any CodingKey] {
        guard let input else { return [] }
        return (0..<min(depth, capacity)).map { index in
            let frame = frames[index]
            guard frame.isMap else { return BinaryKey(index: frame.element) }
            guard let key = frame.key else { return BinaryKey("") }
            input.pointee.position = key
            return BinaryKey((try? String(from: &input.pointee)) ?? "")
        }
    }
}

extension WalDecoder {
    /// Passes over a key, and says whether it is this one. A key that is no text is none that Codable could ask for.
    @inline(__always) mutating func passKey(_ name: UnsafeBufferPointer<UInt8>) throws(WalError) -> Bool {
        guard let initial = peek(), initial & 0xE0 == CBOR.text else {
            try skipValue()
            return false
        }
        let key = try readBuffer(count: try length(CBOR.text, "a key"))
        guard key.count == name.count else { return false }
        for index in 0..<key.count where key[index] != name[index] { return false }
        return true
    }
}
