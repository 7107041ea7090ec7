internal import WriteAheadLog

/// A place for one value that is being written.
struct EncodingFrame {
    enum Kind: UInt8 {
        /// Nothing was written yet.
        case empty
        case keyed
        case unkeyed
        /// A scalar: there is nothing to close.
        case scalar
    }

    /// Tells this value from an earlier one at the same depth, whose containers may still be about.
    var id: UInt32
    var kind: Kind
    var order: EntrySorter.Order?
    /// Entries so far.
    var count: Int
    /// Where the key before the value was written, or -1 for an element: coding paths are read back from it when asked for.
    var key: Int
    /// How many of the state's `starts` belong to containers further out.
    var firstStart: Int
    /// What is being encoded, by which dictionaries and sets are known.
    var type: Any.Type
}

/// The values that are open, outermost first, and the bytes so far.
///
/// Codable never says that a container ends. It ends when something is written further out.
struct EncodingState {
    let output: UnsafeMutablePointer<WalEncoder>
    private(set) var frames: UnsafeMutablePointer<EncodingFrame>
    private var capacity: Int
    /// Whether the frames outgrew the room that the session has for them.
    private var ownsFrames = false
    var depth = 0
    var lastID: UInt32 = 0
    /// Where the entries of containers that are to be sorted begin.
    var starts: [Int] = []
    /// A misuse that a function which cannot throw noticed; thrown at the end.
    var failure: WalError?

    /// - Parameter frames: room for `capacity` of them, uninitialised, which the session gives back.
    init(output: UnsafeMutablePointer<WalEncoder>, frames: UnsafeMutablePointer<EncodingFrame>, capacity: Int) {
        self.output = output
        self.frames = frames
        self.capacity = capacity
    }

    func deallocateFrames() {
        if ownsFrames { frames.deallocate() }
    }

    /// Opens a place for a value; its key, if any, has been written.
    mutating func open(key: Int, type: Any.Type) throws -> UInt32 {
        if _slowPath(depth == capacity) { try growFrames() }
        lastID &+= 1
        (frames + depth).initialize(
            to: EncodingFrame(
                id: lastID, kind: .empty, order: nil, count: 0, key: key, firstStart: starts.count, type: type))
        depth &+= 1
        return lastID
    }

    @inline(never) private mutating func growFrames() throws {
        guard depth <= CBOR.maximumDepth else { throw tooDeep() }
        let larger = UnsafeMutablePointer<EncodingFrame>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: frames, count: depth)
        deallocateFrames()
        frames = larger
        ownsFrames = true
        capacity *= 2
    }

    func tooDeep() -> WalError {
        WalError(
            .encoding, "more than \(CBOR.maximumDepth) arrays and maps within one another",
            codingPath: path(depth).map(\.stringValue))
    }

    /// Makes the value at `index` the innermost one.
    @inline(__always) mutating func enter(_ index: Int, _ id: UInt32) throws {
        if _fastPath(depth == index &+ 1 && frames[index].id == id) { return }
        try reenter(index, id)
    }

    @inline(never) private mutating func reenter(_ index: Int, _ id: UInt32) throws {
        guard isOpen(index, id) else { throw late() }
        close(to: index + 1)
    }

    func isOpen(_ index: Int, _ id: UInt32) -> Bool { index < depth && frames[index].id == id }

    @inline(never) func late() -> WalError {
        WalError(
            .encoding,
            "a container was written to after its value had ended; finish it before you write to the one round it",
            codingPath: path(depth).map(\.stringValue))
    }

    /// Ends all values from `index` on.
    @inline(__always) mutating func close(to index: Int) {
        while depth > index { closeLast() }
    }

    private mutating func closeLast() {
        depth &-= 1
        let frame = frames[depth]
        switch frame.kind {
        case .scalar: break
        case .empty: output.pointee.write(UInt16(CBOR.indefiniteMap) | UInt16(CBOR.end) << 8)
        case .keyed, .unkeyed:
            if let order = frame.order {
                EntrySorter.sort(starts[frame.firstStart...], order, in: &output.pointee)
                starts.removeSubrange(frame.firstStart...)
            }
            output.pointee.write(CBOR.end)
        }
    }

    /// Makes the value at `index` a map or an array, or goes on with the one that it is.
    mutating func become(_ kind: EncodingFrame.Kind, _ index: Int, _ id: UInt32, order: EntrySorter.Order?) -> Bool {
        do {
            try enter(index, id)
            if frames[index].kind == kind { return true }
            guard frames[index].kind == .empty else { throw secondValue() }
            guard index < CBOR.maximumDepth else { throw tooDeep() }
            frames[index].kind = kind
            frames[index].order = order
            output.pointee.write(kind == .keyed ? CBOR.indefiniteMap : CBOR.indefiniteArray)
            return true
        } catch {
            if failure == nil { failure = error as? WalError }
            return false
        }
    }

    func secondValue() -> WalError {
        WalError(.encoding, "a second value where one has been written", codingPath: path(depth).map(\.stringValue))
    }

    // MARK: Entries

    /// Starts an entry of a map, and returns where its key is.
    @inline(__always) mutating func entry(_ key: String, _ index: Int, _ id: UInt32) throws -> Int {
        try enter(index, id)
        let start = output.pointee.count
        frames[index].count &+= 1
        if frames[index].order != nil { starts.append(start) }
        output.pointee.text(key)
        return start
    }

    /// Starts an element of an array.
    @inline(__always) mutating func element(_ index: Int, _ id: UInt32) throws {
        try enter(index, id)
        frames[index].count &+= 1
        if frames[index].order != nil { starts.append(output.pointee.count) }
    }

    /// Starts a value that is a scalar.
    mutating func scalar(_ index: Int, _ id: UInt32) throws {
        try enter(index, id)
        guard frames[index].kind == .empty else { throw secondValue() }
        frames[index].kind = .scalar
    }

    // MARK: Coding path

    /// The keys that lead to the value at `depth - 1`.
    func path(_ depth: Int) -> [any CodingKey] {
        guard depth > 1, depth <= self.depth else { return [] }
        return (1..<depth).map { index in
            let frame = frames[index]
            guard frame.key >= 0, frame.key < output.pointee.count else {
                return BinaryKey(index: max(frames[index - 1].count - 1, 0))
            }
            let rest = UnsafeRawBufferPointer(rebasing: output.pointee.bytes[frame.key...])
            var decoder = WalDecoder(unsafeBytes: rest)
            return BinaryKey((try? String(from: &decoder)) ?? "")
        }
    }
}
