#if Crypto
public import Crypto
public import WriteAheadLog

/// The keys that a sealed log is written and read with, each under an id of its own.
///
/// New segments are sealed under the current key and name its id, old ones are opened with the key that they name. To change
/// keys, open the log with another current one, and keep the old ones here until the segments that name them are purged.
/// Never give an id to another key.
public struct WalKeyring: Sendable {
    /// What new segments are sealed with.
    public let current: String
    private let keys: [String: SymmetricKey]

    /// - Parameters:
    ///   - current: one of the ids.
    ///   - keys: by their ids, which stand in the files for all to see: 1 … 64 bytes of UTF-8. Each has 256 bits, from a source
    ///     of random numbers or a key store; never a password.
    /// - Throws: `.invalidArgument`, and which id is concerned.
    public init(current: String, keys: [String: SymmetricKey]) throws(WalError) {
        guard keys[current] != nil else {
            throw WalError(
                .invalidArgument, "there is no key with the id \"\(current)\", which is to be the current one")
        }
        for (id, key) in keys {
            guard SealedParameters.keyIDSizes.contains(id.utf8.count) else {
                throw WalError(
                    .invalidArgument, "the key id \"\(id)\" has \(id.utf8.count) bytes, but must have 1 … 64")
            }
            guard key.bitCount == 256 else {
                throw WalError(
                    .invalidArgument, "the key with the id \"\(id)\" has \(key.bitCount) bits, but must have 256")
            }
        }
        self.current = current
        self.keys = keys
    }

    /// In order.
    public var ids: [String] { keys.keys.sorted() }

    /// - Throws: `.unknownKey`.
    func key(_ id: String) throws(WalError) -> SymmetricKey {
        guard let key = keys[id] else {
            throw WalError(
                .unknownKey,
                "the segment was sealed with the key \"\(id)\", which is not in the keyring; add it under that id")
        }
        return key
    }
}

extension WalKeyring: CustomStringConvertible {
    /// The ids, never a key.
    public var description: String { "WalKeyring(current: \(current), ids: \(ids))" }
}
#endif
