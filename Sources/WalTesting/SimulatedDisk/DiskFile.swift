internal import Synchronization
internal import WriteAheadLog

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Bytes with an address that stays. A mapping keeps its own alive when the process it belonged to is gone.
///
/// What a file has in the cache, as clean and on the platter is one object as long as it is the same: it is copied before it is
/// changed, and never shared while it is mapped.
final class DiskMemory {
    let base: UnsafeMutableRawPointer
    let capacity: Int
    private let mappings = Atomic(0)

    var isMapped: Bool { mappings.load(ordering: .acquiring) > 0 }
    func beginMapping() { mappings.add(1, ordering: .acquiringAndReleasing) }
    func endMapping() { mappings.subtract(1, ordering: .acquiringAndReleasing) }

    init(capacity: Int) {
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 4096)
        base.initializeMemory(as: UInt8.self, repeating: 0, count: capacity)
    }

    init(copying other: DiskMemory, capacity: Int) {
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 4096)
        let count = min(capacity, other.capacity)
        base.copyMemory(from: other.base, byteCount: count)
        (base + count).initializeMemory(as: UInt8.self, repeating: 0, count: capacity - count)
    }

    deinit { base.deallocate() }

    func copy(_ other: DiskMemory, _ range: Range<Int>) {
        (base + range.lowerBound).copyMemory(from: other.base + range.lowerBound, byteCount: range.count)
    }

    func zero(_ range: Range<Int>) {
        if !range.isEmpty {
            (base + range.lowerBound).initializeMemory(as: UInt8.self, repeating: 0, count: range.count)
        }
    }

    func differs(from other: DiskMemory, _ range: Range<Int>) -> Bool {
        self !== other && memcmp(base + range.lowerBound, other.base + range.lowerBound, range.count) != 0
    }
}

/// A file as a kernel and a disk see it: what processes read (the page cache), what of that counts as clean, and what a loss of
/// power leaves. Guarded by the disk's lock; stores through a mapping go to `cache` without it.
final class DiskFile {
    static let pageSize = 4096
    static let sectorSize = 512

    /// What every process sees.
    private(set) var cache: DiskMemory
    /// `cache` as it was when each page was last written back, or was called so: a page that differs is dirty.
    private(set) var clean: DiskMemory
    /// What is on the platter.
    private(set) var durable: DiskMemory
    private(set) var size = 0
    private(set) var durableSize = 0
    /// Sizes that it had since the last sync, any of which a loss of power may leave.
    private var formerSizes: [Int] = []
    /// Pages that were written to, with whatever bytes, since they were last clean.
    private var isRewritten: [Bool]
    /// Sectors that were ever durable: the others hold what the block held before.
    private var wasWritten: [Bool]
    /// The open file that holds the writer's lock.
    var lockHolder: Int?
    /// Links from directories, as processes see them.
    var isLinked = true
    /// Its name within the log, or the last that it had.
    var path = ""
    /// As stat(2) and statx(2) tell them; 0 for a file of which nobody knows when it was made.
    private(set) var number: UInt64 = 0
    private(set) var birth: UInt64 = 0
    /// The log object that made it; 0 where none did.
    private(set) var maker = 0
    /// The cache before an append whose stores a crash may tear.
    private var beforeStores: DiskMemory?

    init() {
        let capacity = 2 * Self.pageSize
        cache = DiskMemory(capacity: capacity)
        clean = cache
        durable = cache
        isRewritten = Array(repeating: false, count: capacity / Self.pageSize)
        wasWritten = Array(repeating: false, count: capacity / Self.sectorSize)
    }

    convenience init(path: String, number: UInt64, birth: UInt64, maker: Int) {
        self.init()
        self.maker = maker
        self.path = path
        self.number = number
        self.birth = birth
    }

    /// With that content, durable.
    convenience init(content: [UInt8], path: String) {
        self.init()
        self.path = path
        _ = reserve(content.count)
        ownCache()
        content.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            cache.base.copyMemory(from: base, byteCount: bytes.count)
        }
        clean = cache
        durable = cache
        size = content.count
        durableSize = content.count
        for sector in 0..<sectors(content.count) { wasWritten[sector] = true }
    }

    private func pages(_ size: Int) -> Int { (size + Self.pageSize - 1) / Self.pageSize }
    private func sectors(_ size: Int) -> Int { (size + Self.sectorSize - 1) / Self.sectorSize }
    private func page(_ k: Int) -> Range<Int> { k * Self.pageSize..<(k + 1) * Self.pageSize }
    private func sector(_ k: Int) -> Range<Int> { k * Self.sectorSize..<(k + 1) * Self.sectorSize }

    var content: [UInt8] { Array(UnsafeRawBufferPointer(start: cache.base, count: size)) }
    var durableContent: [UInt8] { Array(UnsafeRawBufferPointer(start: durable.base, count: durableSize)) }

    // MARK: Memory

    private func ownCache() {
        if !cache.isMapped, !isKnownUniquelyReferenced(&cache) {
            cache = DiskMemory(copying: cache, capacity: cache.capacity)
        }
    }
    private func ownClean() {
        if !isKnownUniquelyReferenced(&clean) { clean = DiskMemory(copying: clean, capacity: clean.capacity) }
    }
    private func ownDurable() {
        if !isKnownUniquelyReferenced(&durable) { durable = DiskMemory(copying: durable, capacity: durable.capacity) }
    }

    private func setClean(_ range: Range<Int>) {
        guard clean !== cache else { return }
        ownClean()
        clean.copy(cache, range)
    }

    // MARK: What processes do

    /// The cache's memory, for a mapping.
    func memoryToMap() -> DiskMemory {
        ownCache()
        cache.beginMapping()
        return cache
    }

    /// False where a mapping holds the memory in its place.
    func reserve(_ capacity: Int) -> Bool {
        guard capacity > cache.capacity else { return true }
        guard !cache.isMapped else { return false }
        let grown = pages(max(capacity, 2 * cache.capacity)) * Self.pageSize
        let (oldCache, oldClean, oldDurable) = (cache, clean, durable)
        cache = DiskMemory(copying: oldCache, capacity: grown)
        clean = oldClean === oldCache ? cache : DiskMemory(copying: oldClean, capacity: grown)
        durable =
            oldDurable === oldCache
            ? cache : oldDurable === oldClean ? clean : DiskMemory(copying: oldDurable, capacity: grown)
        isRewritten += Array(repeating: false, count: grown / Self.pageSize - isRewritten.count)
        wasWritten += Array(repeating: false, count: grown / Self.sectorSize - wasWritten.count)
        return true
    }

    func setSize(_ new: Int) {
        guard new != size else { return }
        formerSizes.append(size)
        if new < size {
            ownCache()
            cache.zero(new..<size)
        }
        size = new
    }

    /// The room must have been reserved.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        if offset + bytes.count > size { setSize(offset + bytes.count) }
        ownCache()
        (cache.base + offset).copyMemory(from: source, byteCount: bytes.count)
        for k in offset / Self.pageSize..<pages(offset + bytes.count) { isRewritten[k] = true }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
        let count = min(buffer.count, max(0, size - offset))
        if count > 0, let base = buffer.baseAddress { base.copyMemory(from: cache.base + offset, byteCount: count) }
        return count
    }

    // MARK: Writing back

    private func isDirty(page k: Int) -> Bool { isRewritten[k] || cache.differs(from: clean, page(k)) }

    private func setDurable(_ range: Range<Int>, of source: DiskMemory) {
        if durable !== source {
            ownDurable()
            durable.copy(source, range)
        }
        for k in range.lowerBound / Self.sectorSize..<sectors(range.upperBound) { wasWritten[k] = true }
    }

    /// A sync that works: what is dirty, and the size.
    func sync() {
        for k in 0..<pages(max(size, durableSize)) where isDirty(page: k) {
            setDurable(page(k), of: cache)
            setClean(page(k))
            isRewritten[k] = false
        }
        setDurableSize()
    }

    private func setDurableSize() {
        if size < durableSize {
            ownDurable()
            durable.zero(size..<durableSize)
        }
        durableSize = size
        formerSizes = []
    }

    /// A sync of a range: whole sectors, and no more of the size than reading them back needs.
    func sync(_ range: Range<Int>) {
        for k in range.lowerBound / Self.sectorSize..<sectors(range.upperBound) {
            setDurable(sector(k), of: cache)
            setClean(sector(k))
        }
        // The inode is committed with the data: a shorter size from before can't come back.
        if size < durableSize { setDurableSize() }
        durableSize = max(durableSize, range.upperBound)
        formerSizes.removeAll { $0 < durableSize }
    }

    /// A sync that fails as Linux's does: what was dirty counts as clean from then on, whether it got to the disk or not. The
    /// next sync has nothing to do and succeeds (Rebello et al., "Can Applications Recover from fsync Failures?", 2020).
    func dropDirtyPages(_ random: inout SeededGenerator) {
        for k in 0..<pages(max(size, durableSize)) where isDirty(page: k) {
            if random.chance(4) { setDurable(page(k), of: cache) }
            setClean(page(k))
            isRewritten[k] = false
        }
    }

    /// The disk says that it wrote, and did not: one page that is dirty never gets there.
    func loseOneWrite(_ random: inout SeededGenerator) {
        let dirty = (0..<pages(size)).filter { isDirty(page: $0) }
        guard let lost = random.element(dirty) else { return }
        setClean(page(lost))
        isRewritten[lost] = false
    }

    /// The disk writes one dirty page to another page's place.
    func misplaceOneWrite(_ random: inout SeededGenerator) {
        let all = Array(0..<pages(size))
        guard let lost = random.element(all.filter { isDirty(page: $0) }), let place = random.element(all) else {
            return
        }
        setClean(page(lost))
        isRewritten[lost] = false
        ownDurable()
        (durable.base + place * Self.pageSize).copyMemory(
            from: cache.base + lost * Self.pageSize, byteCount: Self.pageSize)
    }

    /// The kernel writes back some of what is dirty, of its own accord.
    func writeBackSome(_ random: inout SeededGenerator) {
        for k in 0..<sectors(size) where random.chance(2) && isUnsynced(sector: k) {
            setDurable(sector(k), of: cache)
            durableSize = max(durableSize, min(size, (k + 1) * Self.sectorSize))
        }
    }

    /// Turns over a bit, in the cache too.
    func flip(bit: Int) {
        let mask = UInt8(1) << UInt8(bit % 8)
        ownCache()
        ownClean()
        ownDurable()
        for memory in [cache, clean, durable] {
            let byte = (memory.base + bit / 8).assumingMemoryBound(to: UInt8.self)
            byte.pointee ^= mask
        }
    }

    // MARK: Crashes

    /// From here on stores through a mapping may be half there if the next crash is told so.
    func beginTearableStores() {
        if cache.isMapped { beforeStores = DiskMemory(copying: cache, capacity: cache.capacity) }
    }

    func endTearableStores() { beforeStores = nil }

    /// Takes back some of the words that were stored since `beginTearableStores`.
    private func tearStores(_ random: inout SeededGenerator) {
        guard let before = beforeStores else { return }
        beforeStores = nil
        let now = cache.base.assumingMemoryBound(to: UInt64.self)
        let then = before.base.assumingMemoryBound(to: UInt64.self)
        // In order, or in whatever order a compiler chose.
        let inOrder = random.chance(2)
        var isBehind = false
        for k in 0..<(min(cache.capacity, before.capacity) / 8) where now[k] != then[k] {
            if inOrder {
                isBehind = isBehind || random.chance(6)
                if isBehind { now[k] = then[k] }
            } else if random.chance(2) {
                now[k] = then[k]
            }
        }
    }

    /// The process is gone: its mappings no longer reach the file.
    func leaveProcess(tearing: Bool, _ random: inout SeededGenerator) {
        lockHolder = nil
        if cache.isMapped { cache = DiskMemory(copying: cache, capacity: cache.capacity) }
        if tearing { tearStores(&random) }
        beforeStores = nil
    }

    /// Sectors that a loss of power may or may not leave as they are in the cache.
    var unsyncedSectors: [Int] {
        (0..<sectors(max(size, durableSize))).filter { isUnsynced(sector: $0) }
    }

    /// What counts as clean is never written, whatever the disk has.
    private func isUnsynced(sector k: Int) -> Bool {
        cache.differs(from: durable, sector(k)) && isDirty(page: k * Self.sectorSize / Self.pageSize)
    }

    /// Sizes that a loss of power may leave, the durable one first.
    var possibleSizes: [Int] {
        var sizes = [durableSize]
        for size in formerSizes + [size] where !sizes.contains(size) { sizes.append(size) }
        return sizes
    }

    /// What is left after a loss of power: the sectors that `survives` names, and for the others what the disk had.
    ///
    /// - Parameter stale: what freed blocks held, for those never written.
    func losePower(
        size final: Int, survives: (Int) -> Bool, tears: (Int) -> Int?, stale: DiskMemory?
    ) {
        let image = remains(size: final, survives: survives, tears: tears, stale: stale)
        cache = image
        clean = image
        durable = image
        size = final
        durableSize = final
        formerSizes = []
        isRewritten = Array(repeating: false, count: isRewritten.count)
        for k in 0..<sectors(final) { wasWritten[k] = true }
        beforeStores = nil
        lockHolder = nil
    }

    private func remains(
        size final: Int, survives: (Int) -> Bool, tears: (Int) -> Int?, stale: DiskMemory?
    ) -> DiskMemory {
        // Nothing to lose.
        if cache === durable, stale == nil, final == size, final == durableSize { return durable }
        let image = DiskMemory(copying: durable, capacity: durable.capacity)
        for k in 0..<sectors(max(size, durableSize)) {
            if isUnsynced(sector: k) {
                guard survives(k) else {
                    if !wasWritten[k] { expose(stale, k, in: image) }
                    continue
                }
                image.copy(cache, sector(k))
                if let whole = tears(k) {
                    // The sector's end is what it was: bytes that were durable are the same in both.
                    image.copy(durable, (sector(k).lowerBound + whole)..<sector(k).upperBound)
                }
                wasWritten[k] = true
            } else if !wasWritten[k] {
                expose(stale, k, in: image)
            }
        }
        if final < image.capacity { image.zero(final..<image.capacity) }
        return image
    }

    /// Only behind a first page that is durable: a file system that leaves old bytes in new blocks still writes what it is told.
    private func expose(_ stale: DiskMemory?, _ k: Int, in image: DiskMemory) {
        guard let stale, wasWritten[0], sector(k).lowerBound >= Self.pageSize, sector(k).upperBound <= stale.capacity
        else { return }
        image.copy(stale, sector(k))
    }

    /// The durable bytes, for the next owner of these blocks.
    var freedBlocks: DiskMemory { durable }

    /// The same file of another disk.
    func clone() -> DiskFile {
        let copy = DiskFile()
        copy.cache = cache.isMapped ? DiskMemory(copying: cache, capacity: cache.capacity) : cache
        copy.clean = clean
        copy.durable = durable
        copy.size = size
        copy.durableSize = durableSize
        copy.formerSizes = formerSizes
        copy.isRewritten = isRewritten
        copy.wasWritten = wasWritten
        copy.isLinked = isLinked
        copy.path = path
        copy.number = number
        copy.birth = birth
        copy.beforeStores = beforeStores.map { DiskMemory(copying: $0, capacity: $0.capacity) }
        return copy
    }
}

/// A directory: the names that processes see, and those that a loss of power leaves.
final class DiskFolder {
    enum Node {
        case file(DiskFile)
        case folder(DiskFolder)
    }

    /// A change that is not durable yet.
    enum Change {
        case add(String, Node)
        case remove(String)
        case rename(String, String, Node)
    }

    /// The open directory that holds the writer's lock.
    var lockHolder: Int?
    private(set) var entries: [String: Node] = [:]
    private(set) var durable: [String: Node] = [:]
    private(set) var changes: [Change] = []

    var names: [String] { entries.keys.sorted() }

    func add(_ name: String, _ node: Node, isDurable: Bool = false) {
        entries[name] = node
        if isDurable { durable[name] = node } else { changes.append(.add(name, node)) }
    }

    func remove(_ name: String) {
        entries[name] = nil
        changes.append(.remove(name))
    }

    func rename(_ from: String, to: String) {
        guard let node = entries[from] else { return }
        entries[from] = nil
        entries[to] = node
        changes.append(.rename(from, to, node))
    }

    func sync() {
        durable = entries
        changes = []
    }

    /// What is left after a loss of power: the changes that `survives` names, in order.
    func losePower(survives: (Int) -> Bool) {
        for (k, change) in changes.enumerated() where survives(k) {
            switch change {
            case .add(let name, let node): durable[name] = node
            case .remove(let name): durable[name] = nil
            case .rename(let from, let to, let node):
                durable[from] = nil
                durable[to] = node
            }
        }
        entries = durable
        changes = []
    }

    /// Every node below, files and folders, with paths, in the order of their names; nodes without a name in the end.
    func walk(_ path: String = "", _ body: (String, Node) -> Void) {
        for name in names {
            guard let node = entries[name] else { continue }
            let here = path.isEmpty ? name : "\(path)/\(name)"
            body(here, node)
            if case .folder(let folder) = node { folder.walk(here, body) }
        }
    }

    func clone(_ known: inout [ObjectIdentifier: DiskFile]) -> DiskFolder {
        let copy = DiskFolder()
        func twin(_ node: Node, _ folders: inout [ObjectIdentifier: DiskFolder]) -> Node {
            switch node {
            case .file(let file):
                if let twin = known[ObjectIdentifier(file)] { return .file(twin) }
                let twin = file.clone()
                known[ObjectIdentifier(file)] = twin
                return .file(twin)
            case .folder(let folder):
                if let twin = folders[ObjectIdentifier(folder)] { return .folder(twin) }
                let twin = folder.clone(&known)
                folders[ObjectIdentifier(folder)] = twin
                return .folder(twin)
            }
        }
        var folders: [ObjectIdentifier: DiskFolder] = [:]
        for (name, node) in entries { copy.entries[name] = twin(node, &folders) }
        for (name, node) in durable { copy.durable[name] = twin(node, &folders) }
        copy.changes = changes.map { change in
            switch change {
            case .add(let name, let node): .add(name, twin(node, &folders))
            case .remove(let name): .remove(name)
            case .rename(let from, let to, let node): .rename(from, to, twin(node, &folders))
            }
        }
        return copy
    }
}
