import Foundation
import Testing
import WalTesting
import WriteAheadLog

@Suite("Queues of work", .timeLimit(.minutes(5)))
struct WorkQueueTests {
    @Test("with one thread, jobs run one after the other and in order, and joining waits for all of them")
    func inOrder() {
        let queue = WorkQueue(storage: FaultyStorage(), maximumThreads: 1, leftovers: .run)
        let seen = Locked<[Int]>([])
        for k in 0..<1_000 { queue.submit { seen.withLock { $0.append(k) } } }
        queue.stopAndJoin()
        #expect(seen.withLock { $0 } == Array(0..<1_000))
    }

    @Test("joining waits for the job that runs, and drops or runs those that do not yet", arguments: [false, true])
    func joining(_ runsLeftovers: Bool) {
        let queue = WorkQueue(
            storage: FaultyStorage(), maximumThreads: 1, leftovers: runsLeftovers ? .run : .drop)
        let gate = Gate()
        let done = Locked<[Int]>([])
        queue.submit {
            gate.pass()
            done.withLock { $0.append(1) }
        }
        queue.submit { done.withLock { $0.append(2) } }
        #expect(gate.waitForArrival())
        let joined = Locked<[Int]?>(nil)
        let isOver = finishes {
            Thread.detachNewThread {
                queue.stopAndJoin()
                joined.withLock { $0 = done.withLock { $0 } }
            }
            while !queue.isStopping { sched_yield() }
            #expect(joined.withLock { $0 } == nil)
            gate.open()
            while joined.withLock({ $0 }) == nil { sched_yield() }
        }
        #expect(isOver)
        #expect(joined.withLock { $0 } == (runsLeftovers ? [1, 2] : [1]))
    }

    @Test("a job that joins its own queue does not wait for itself")
    func joiningFromWithin() {
        let queue = WorkQueue(storage: FaultyStorage(), maximumThreads: 1, leftovers: .run)
        let seen = Locked<[Int]>([])
        #expect(
            finishes {
                let gate = Gate()
                queue.submit {
                    gate.pass()
                    queue.stopAndJoin()
                    seen.withLock { $0.append(1) }
                }
                queue.submit { seen.withLock { $0.append(2) } }
                gate.open()
                while seen.withLock({ $0.count }) < 2 { sched_yield() }
            })
        #expect(seen.withLock { $0 } == [1, 2])
    }

    @Test("where no thread can be had jobs wait for one, and joining runs them")
    func noThreads() {
        let storage = FaultyStorage()
        let queue = WorkQueue(storage: storage, maximumThreads: 2, leftovers: .run)
        let seen = Locked<[Int]>([])
        storage.refusesThreads = true
        for k in 0..<3 { queue.submit { seen.withLock { $0.append(k) } } }
        #expect(seen.withLock { $0.isEmpty })
        #expect(throws: WalError.self) { try queue.start() }
        storage.refusesThreads = false
        queue.submit { seen.withLock { $0.append(3) } }
        #expect(finishes { while seen.withLock({ $0.count }) < 4 { sched_yield() } })
        queue.stopAndJoin()

        let other = WorkQueue(storage: storage, maximumThreads: 2, leftovers: .run)
        storage.refusesThreads = true
        for k in 4..<7 { other.submit { seen.withLock { $0.append(k) } } }
        other.stopAndJoin()
        #expect(seen.withLock { $0.count } == 7)
        // And what comes later is still done.
        other.submit { seen.withLock { $0.append(7) } }
        #expect(seen.withLock { $0.count } == 8)
    }
}
