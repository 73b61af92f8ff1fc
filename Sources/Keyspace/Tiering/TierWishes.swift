// TierWishes.swift - what classes of keys want of the tiers, where it is not what the configuration says. Asked where a
// value is about to move; while no class wants anything there is nothing to ask. Which key is of which class is known
// above. Engine's turn only.

/// What a class says; nil leaves it to the configuration.
package struct TierWish: Sendable, Equatable, BitwiseCopyable {
    /// Values are compressed, or never.
    package var compresses: Bool?
    /// The codec of those that are.
    package var choice: CompressionChoice?
    /// Values that are read often become raw again; else they sleep as soon as the hand comes by.
    package var keepsRaw: Bool?
    /// Seconds without use after which a raw value goes to sleep; 0 never.
    package var rawSeconds: Int?
    /// False: values never go to disk. True cannot open a disk tier that is off.
    package var usesDisk: Bool?
    package init() {}

    var hasStandingOrders: Bool { keepsRaw == false || (rawSeconds ?? 0) > 0 }

    /// `options` as they are for keys of the class.
    func applied(to options: TierOptions) -> TierOptions {
        var options = options
        if let compresses { options.isCompressionOn = compresses }
        if let choice { options.choice = choice }
        if let keepsRaw { options.keepsRaw = keepsRaw }
        if let rawSeconds { options.rawSeconds = rawSeconds }
        if usesDisk == false { options.hasDisk = false }
        return options
    }
}

package struct TierWishes {
    /// The wish for a key of a database; nil for none.
    fileprivate let find: (Span<UInt8>, _ database: Int) -> TierWish?
    /// Some class wants its values compressed.
    fileprivate let someCompress: Bool
    /// Some class wants values to move without memory being full.
    fileprivate let hasStandingOrders: Bool

    /// Nil when none of `all` wants anything.
    package init?(_ all: [TierWish], find: @escaping (Span<UInt8>, _ database: Int) -> TierWish?) {
        guard all.contains(where: { $0 != TierWish() }) else { return nil }
        self.find = find
        someCompress = all.contains { $0.compresses == true }
        hasStandingOrders = all.contains { $0.hasStandingOrders }
    }
}

extension TierStore {
    /// The options that count for `key`.
    func options(of key: Span<UInt8>, in database: Int) -> TierOptions {
        guard let wishes, let wish = wishes.find(key, database) else { return options }
        return wish.applied(to: options)
    }

    /// Whether any value may be compressed.
    package var mayCompress: Bool {
        options.compresses || options.hasCompressedTier && wishes?.someCompress == true
    }

    /// Whether values move without memory being full.
    package var hasStandingOrders: Bool { options.hasStandingOrders || wishes?.hasStandingOrders == true }
}
