/// A line on a terminal that says how far long work has got. Without a terminal it does nothing.
package final class ProgressMeter {
    private let terminal: Output?
    private let clock = ContinuousClock()
    private var nextTime: ContinuousClock.Instant
    private var isShown = false

    init(_ terminal: Output?) {
        self.terminal = terminal
        // Short work shows nothing.
        nextTime = clock.now + .milliseconds(400)
    }

    /// To be called often; shows the text a few times a second.
    func update(_ text: @autoclosure () -> String) {
        guard let terminal, clock.now >= nextTime else { return }
        nextTime = clock.now + .milliseconds(200)
        isShown = true
        // A terminal that is gone is no reason to stop.
        try? terminal.writeAtOnce("\r\u{1B}[K\(text())")
    }

    func clear() {
        guard let terminal, isShown else { return }
        isShown = false
        try? terminal.writeAtOnce("\r\u{1B}[K")
    }
}
