// ColdOpening.swift - makes the store of the disk tier when the engine asks for it, and logs what its threads report.
// The first loop watches its descriptor (EventLoop.swift).
internal import Base
internal import ColdStore
internal import Reactor

enum ColdOpening {
    /// Nil when the directory cannot be used; why has been logged.
    static func open(_ options: ColdOptions, waking wakeup: Wakeup) -> ColdStore? {
        var options = options
        options.wakeup = wakeup
        options.report = report
        do throws(SystemError) {
            let store = try ColdStore(options)
            Log.shared.notice("Disk tier in \(options.directory), read by \(store.readerName)")
            return store
        } catch {
            Log.shared.warning("The disk tier in \(options.directory) cannot be used: \(error.description)")
            return nil
        }
    }

    private static let report: @Sendable (ColdReport) -> Void = { report in
        switch report {
        case .stopped(let error):
            Log.shared.warning("The disk tier takes no values, what it has is served: \(error.description)")
        case .resumed: Log.shared.notice("The disk tier takes values again")
        case .unsealed(let error): Log.shared.warning("A segment of the disk tier has no index: \(error.description)")
        case .unlisted(let error):
            Log.shared.warning("The disk tier would be lost by a crash, its catalogue failed: \(error.description)")
        }
    }
}
