// WarmLoading.swift - the server's part in filling the cache from files: at start on the thread that starts it, before
// the first client is served; for FOG.WARM FILE on the pool's thread. Takes the turn for a hundred keys at a time.
internal import Base
internal import Coordinator
internal import Engine
internal import Reactor

extension Server {
    /// Sets what `fog-warm-file` holds, if it is set. A file that cannot be read is a cold start, not a failed one.
    func warm() {
        var path = ""
        var directory = ""
        shared.turn.take { engine in
            path = engine.config.string("fog-warm-file")
            directory = engine.dataDirectory
        }
        if path.isEmpty { return }
        let request = WarmRequest(start: path, directory: directory)
        let outcome = WarmFile.load(request) { body in shared.turn.take(body) }
        if let failure = outcome.failure {
            Log.shared.warning("fog-warm-file \(request.path): \(failure); \(outcome.loaded) keys were set")
        } else {
            Log.shared.notice(
                "fog-warm-file \(request.path): \(outcome.loaded) keys set, \(outcome.known) were there")
        }
    }

    /// What FOG.WARM FILE starts.
    static func fileLoader(_ shared: ServerShared) -> @Sendable (WarmRequest) -> Void {
        { request in
            shared.pool.submit {
                let outcome = WarmFile.load(request) { body in shared.turn.take(body) }
                shared.turn.take { $0.finishWarming(request, outcome) }
            }
        }
    }
}
