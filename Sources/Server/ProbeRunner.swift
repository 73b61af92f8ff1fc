// ProbeRunner.swift - the thread that asks nodes whether they are there (`fog-probe`). It is made with the first
// request; answers go back under the turn.
internal import Base
internal import Coordinator
internal import Engine
internal import Reactor
internal import Synchronization

final class ProbeRunner: Sendable {
    private let pool = Mutex<IOPool?>(nil)

    func run(_ request: ProbeRequest, _ shared: ServerShared) {
        let pool = pool.withLock { pool in
            if pool == nil { pool = try? IOPool(threadCount: 1) }
            return pool
        }
        guard let pool else { return }
        pool.submit {
            if shared.isStopping.load(ordering: .relaxed) { return }
            let question: ProbeQuestion = request.kind == .http ? .page(path: request.path) : .connection
            let answers = ProbeSweep.run(
                request.targets.map { ($0.host, $0.port) }, question,
                timeoutMilliseconds: request.timeoutMilliseconds)
            shared.turn.take { $0.finishProbes(request, answers) }
        }
    }

    func close() { pool.withLock { $0.take() }?.close() }
}
