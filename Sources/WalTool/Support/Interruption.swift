internal import Dispatch
internal import WriteAheadLog

/// Ctrl-C, or SIGTERM, as a call: for work that has to clean up. A second one ends the process as ever.
final class Interruption: Sendable {
    private struct State {
        var handler: (@Sendable () -> Void)?
        var sources: [any DispatchSourceSignal] = []
    }
    private let state = Locked(State())

    func onSignal(_ handler: @escaping @Sendable () -> Void) { state.withLock { $0.handler = handler } }

    /// From here on.
    func arm() {
        for number in Descriptor.endingSignals {
            Descriptor.ignore(number)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [weak self] in
                for number in Descriptor.endingSignals { Descriptor.restore(number) }
                self?.state.withLock { $0.handler }?()
            }
            source.resume()
            state.withLock { $0.sources.append(source) }
        }
    }
}
