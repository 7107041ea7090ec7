internal import CWalShims

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A place for each of the 65,536 partitions, read without a lock. An entry, once there, stays until the table goes.
final class PartitionTable<Element: AnyObject & Sendable>: @unchecked Sendable {
    // Sendable: each word goes from 0 to an object's address once, stored with release and loaded with acquire.
    private let words: UnsafeMutablePointer<UInt64>
    /// One past the highest place in use: walking the table costs what is in it.
    private let usedWord: UnsafeMutablePointer<UInt64>
    private static var count: Int { 65_536 }

    init() {
        // calloc: pages that hold no partition take no memory.
        guard let memory = calloc(Self.count, MemoryLayout<UInt64>.stride) else {
            preconditionFailure("out of memory for the table of partitions")
        }
        words = memory.bindMemory(to: UInt64.self, capacity: Self.count)
        usedWord = .allocate(capacity: 1)
        usedWord.initialize(to: 0)
    }

    private var used: Int { Int(wal_load_acquire(usedWord)) }

    deinit {
        for k in 0..<used {
            if let element = unmanaged(k) { element.release() }
        }
        free(words)
        usedWord.deallocate()
    }

    private func unmanaged(_ k: Int) -> Unmanaged<Element>? {
        UnsafeRawPointer(bitPattern: UInt(wal_load_acquire(words + k))).map { Unmanaged.fromOpaque($0) }
    }

    subscript(_ k: UInt16) -> Element? { unmanaged(Int(k))?.takeUnretainedValue() }

    /// Under the owner's lock, into an empty place.
    func insert(_ element: Element, at k: UInt16) {
        precondition(unmanaged(Int(k)) == nil, "partition \(k) is there already")
        wal_store_release(words + Int(k), UInt64(UInt(bitPattern: Unmanaged.passRetained(element).toOpaque())))
        if used <= Int(k) { wal_store_release(usedWord, UInt64(k) + 1) }
    }

    var all: [Element] { (0..<used).compactMap { unmanaged($0)?.takeUnretainedValue() } }
}

enum ProcessInformation {
    static var id: Int32 { getpid() }
    /// Whether there is such a process, as far as this one can see.
    static func isThere(_ id: Int32) -> Bool { id > 0 && (kill(id, 0) == 0 || errno != ESRCH) }
}

/// Runs what may block on a thread of its own, never on the cooperative pool. It is not abandoned when the task is cancelled.
///
/// - Parameter otherwise: runs it where no thread can be had; without it, that is the error.
package func blocking<R: Sendable>(
    on storage: any WalStorage, named name: String,
    otherwise: (@Sendable (@escaping @Sendable () -> Void) -> Void)? = nil,
    _ body: @escaping @Sendable () throws(WalError) -> R
) async throws(WalError) -> R {
    // Handed over under a lock of ours: thread sanitizer does not see into the runtime's continuations.
    let result = Locked<Result<R, WalError>?>(nil)
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
        @Sendable func run() {
            do throws(WalError) {
                let value = try body()
                result.withLock { $0 = .success(value) }
            } catch {
                result.withLock { $0 = .failure(error) }
            }
            continuation.resume()
        }
        do throws(WalError) {
            try storage.startThread(name, run)
        } catch {
            if let otherwise { return otherwise(run) }
            result.withLock { $0 = .failure(error) }
            continuation.resume()
        }
    }
    guard let done = result.withLock({ $0 }) else { preconditionFailure("resumed without a result") }
    return try done.get()
}
