extension CodecComparison {
    /// TODO
    public func html(title: String) -> String { title + " " }
}
