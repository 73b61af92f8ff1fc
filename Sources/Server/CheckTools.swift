// CheckTools.swift - the process as `redis-check-rdb` or `redis-check-aof`: arguments, questions on the terminal, exit
// status. The checks themselves are Persistence's. No server runs in such a process.
internal import Base
internal import CLinux
internal import Persistence

enum CheckTools {
    private static let usageRDB = "Usage: redis-check-rdb [--fix] <rdb-file-name>"
    private static let usageAOF =
        "Usage: redis-check-aof [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>"

    static func checkRDB(_ words: [[UInt8]]) -> Int32 {
        let texts = words.map { String(decoding: $0, as: UTF8.self) }
        let fixes = texts.count == 2 && texts[0] == "--fix"
        guard texts.count == 1 || fixes else { return Boot.fail(usageRDB) }
        let path = texts[texts.count - 1]
        let result = RDBCheck.run(path)
        _ = Boot.say(result.text)
        if result.isWhole { return 0 }
        guard fixes else { return 1 }
        return fix(path, result)
    }

    private static func fix(_ path: String, _ result: RDBCheck.Result) -> Int32 {
        guard let end = result.savedEnd else {
            _ = Boot.say("Nothing of \(path) can be saved.\n")
            return 1
        }
        _ = Boot.say("This will keep \(result.savedCount) keys, those in the first \(end) bytes of \(path)\n")
        guard confirms("Continue? [y/N]: ") else {
            _ = Boot.say("Aborting...\n")
            return 1
        }
        do throws(SystemError) {
            let broken = try RDBCheck.save(path, byteCount: end)
            _ = Boot.say("Successfully fixed \(path); the file as it was is kept as \(broken)\n")
            return 0
        } catch {
            _ = Boot.say("Failed to fix \(path): \(error.description)\n")
            return 1
        }
    }

    static func checkAOF(_ words: [[UInt8]]) -> Int32 {
        let texts = words.map { String(decoding: $0, as: UTF8.self) }
        var task = AOFCheck.Task.look
        switch texts.count {
        case 1: break
        case 2 where texts[0] == "--fix": task = .fix
        case 3 where texts[0] == "--truncate-to-timestamp":
            guard let second = Int64(texts[1]), second > 0 else {
                _ = Boot.say("Invalid timestamp, aborting...\n")
                return 1
            }
            task = .cutToSecond(second)
        default: return Boot.fail(usageAOF)
        }
        let isGood = AOFCheck.run(
            texts[texts.count - 1], task: task, say: { _ = Boot.say($0) }, confirms: CheckTools.confirms)
        return isGood ? 0 : 1
    }

    /// Asks on the terminal; only a line that begins with `y` is a yes.
    private static func confirms(_ question: String) -> Bool {
        _ = Boot.say(question)
        var letter: UInt8 = 0
        guard unsafe read(0, &letter, 1) == 1 else { return false }
        return letter == UInt8(ascii: "y") || letter == UInt8(ascii: "Y")
    }
}
