// Engine+Subscribing.swift - clients that come to listen and go: SUBSCRIBE and its kin, RESET, disconnecting. Under the
// turn.
internal import Base
internal import RESP

extension Engine {
    /// Adds a subscription; nothing happens when the client has it.
    mutating func subscribe(_ session: SessionReference, _ kind: SubscriptionKind, _ name: Span<UInt8>) {
        let subscriptions = session.session.subscriptions ?? Subscriptions()
        session.session.subscriptions = subscriptions
        let hash = NameTable.hash(name)
        if let number = pubsub[kind].find(name, hash: hash), subscriptions[kind, number] != nil { return }
        let (number, position, isNewName) = pubsub[kind].add(name, hash: hash, session)
        if isNewName && kind == .pattern { pubsub.patternIndex.insert(name, number: number) }
        subscriptions[kind, number] = position
        subscriptionsChanged(session)
    }

    /// Takes a subscription away; nothing happens when the client does not have it.
    mutating func unsubscribe(_ session: SessionReference, _ kind: SubscriptionKind, _ name: Span<UInt8>) {
        guard let subscriptions = session.session.subscriptions,
            let number = pubsub[kind].find(name, hash: NameTable.hash(name)),
            let position = subscriptions[kind, number]
        else { return }
        if kind == .pattern && pubsub[kind].subscriberCount(number) == 1 {
            pubsub.patternIndex.remove(name, number: number)
        }
        subscriptions[kind, number] = nil
        if let moved = pubsub[kind].remove(number, at: position) {
            moved.session.subscriptions?[kind, number] = position
        }
        subscriptionsChanged(session)
    }

    /// RESET and disconnecting: the client listens to nothing any more.
    package mutating func unsubscribeAll(_ session: SessionReference) {
        guard session.session.isSubscriber else { return }
        for kind in SubscriptionKind.allCases {
            for name in subscribedNames(session, kind) { unsubscribe(session, kind, name.span) }
        }
    }

    func subscribedNames(_ session: SessionReference, _ kind: SubscriptionKind) -> [[UInt8]] {
        guard let subscriptions = session.session.subscriptions else { return [] }
        return subscriptions.numbers(kind).map { pubsub[kind].names.name($0) }
    }

    private mutating func subscriptionsChanged(_ session: SessionReference) {
        let isSubscriber = session.session.subscriptions.map { $0.count > 0 } ?? false
        if isSubscriber != session.session.isSubscriber {
            session.session.isSubscriber = isSubscriber
            pubsub.clientCount += isSubscriber ? 1 : -1
        }
        settleSubscribedMode(session)
        armEffects()
    }

    /// A client that speaks RESP2 and listens may do little else. Called when either has changed.
    package func settleSubscribedMode(_ session: SessionReference) {
        if session.session.isSubscriber && session.session.protocolVersion < 3 {
            session.session.gates.insert(.subscribed)
        } else {
            session.session.gates.remove(.subscribed)
        }
    }
}

extension Call {
    /// SUBSCRIBE, PSUBSCRIBE or SSUBSCRIBE of the name in argument `index`.
    package func subscribe(_ kind: SubscriptionKind, _ index: Int) {
        administration.subscribe(sessionReference, kind, arguments[index])
    }

    package func unsubscribe(_ kind: SubscriptionKind, _ name: Span<UInt8>) {
        administration.unsubscribe(sessionReference, kind, name)
    }

    /// The names of one kind that the client listens to.
    package func subscribedNames(_ kind: SubscriptionKind) -> [[UInt8]] {
        administration.subscribedNames(sessionReference, kind)
    }

    package func subscriptionCount(_ kind: SubscriptionKind) -> Int { session.subscriptions?.count(kind) ?? 0 }

    /// Names of one kind with at least one subscriber; only those that match `pattern`.
    package func subscribedNames(_ kind: SubscriptionKind, matching pattern: Span<UInt8>) -> [[UInt8]] {
        var found: [[UInt8]] = []
        administration.pubsub[kind].names.forEach { _, name in
            if Glob.matches(pattern: pattern, text: name.span) { found.append(name) }
        }
        return found
    }

    /// Names of one kind that anybody listens to.
    package func subscribedNameCount(_ kind: SubscriptionKind) -> Int { administration.pubsub[kind].count }

    /// Clients that listen to the name in argument `index`.
    package func subscriberCount(_ kind: SubscriptionKind, _ index: Int) -> Int {
        let name = arguments[index]
        guard let number = administration.pubsub[kind].find(name, hash: NameTable.hash(name)) else { return 0 }
        return administration.pubsub[kind].subscriberCount(number)
    }
}
