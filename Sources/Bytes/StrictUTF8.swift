extension String {
    /// The text of `bytes`, or nil when they are not valid UTF-8.
    package init?(strictUTF8 bytes: some Sequence<UInt8>) {
        self.init(validating: bytes, as: UTF8.self)
    }
}
