import Testing
import WriteAheadLog

/// Who syncs and who is told, without a disk (promises 1 and 8).
@Suite("Who syncs")
struct SyncMachineTests {
    private typealias Machine = SyncMachine<String>

    private func machine(_ waiters: [(UInt64, Machine.Purpose, String)] = []) -> Machine {
        var machine = Machine()
        for (lsn, purpose, name) in waiters { machine.add(.init(lsn: lsn, purpose: purpose, ticket: name)) }
        return machine
    }

    @Test("one thread syncs at a time, whoever asks in whatever order")
    func oneAtATime() {
        // Every sequence of six steps.
        for code in 0..<Int(4 * 4 * 4 * 4 * 4 * 4) {
            var machine = machine()
            var (syncing, asked) = (false, false)
            var rest = code
            for _ in 0..<6 {
                switch rest % 4 {
                case 0:
                    machine.add(.init(lsn: 1, purpose: .frame, ticket: "a"))
                    if machine.askForWorker() {
                        #expect(!asked && !syncing)
                        asked = true
                    }
                case 1:
                    let claimed = machine.claim()
                    #expect(claimed == !syncing)
                    syncing = true
                case 2 where asked:
                    asked = false
                    if machine.begin(force: false) {
                        #expect(!syncing)
                        syncing = true
                    }
                case 3 where syncing:
                    _ = machine.take(upTo: 0)
                    syncing = false
                    if machine.end() {
                        #expect(!asked && !machine.waiters.isEmpty)
                        asked = true
                    }
                default: break
                }
                #expect(machine.isRunning == syncing)
                // Nobody waits without somebody who syncs or will.
                if !machine.waiters.isEmpty { #expect(syncing || asked) }
                rest /= 4
            }
        }
    }

    @Test("a worker that finds nobody waiting does nothing, unless it was sent")
    func emptyHanded() {
        var first = machine()
        let asked = [first.askForWorker(), first.askForWorker()]
        #expect(asked == [true, false])
        let begun = first.begin(force: false)
        #expect(!begun)
        #expect(first.activity == .none)
        let sent = first.askForWorker() && first.begin(force: true)
        #expect(sent)
    }

    @Test("those up to an LSN are told; the rest goes on waiting")
    func told() {
        var machine = machine([(1, .frame, "a"), (3, .frame, "c"), (2, .everything, "b")])
        let covered = machine.take(upTo: 2)
        #expect(covered == ["a", "b"])
        #expect(machine.waiters.map(\.ticket) == ["c"])
        let failed = [machine.takeAll(), machine.takeAll()]
        #expect(failed == [["c"], []])
    }

    @Test("frames that are taken back are told of; who waits for everything waits for what is left")
    func takenBack() {
        var machine = machine([(4, .frame, "a"), (6, .frame, "b"), (6, .everything, "c"), (3, .everything, "d")])
        let gone = machine.takeBack(after: 4)
        #expect(gone == ["b"])
        #expect(machine.waiters.map(\.lsn) == [4, 4, 3])
        let covered = machine.take(upTo: 4)
        #expect(covered == ["a", "c", "d"])
    }
}
