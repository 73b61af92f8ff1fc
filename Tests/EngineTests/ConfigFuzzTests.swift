// ConfigFuzzTests.swift - random and half-right input to every door of the configuration: nothing may trap, refusals
// must leave everything as it was, and what was accepted must survive a rewrite. The seed is part of every message.
// Each round takes a fraction of a second; raise the number of rounds to search longer.
import Base
import Testing

@testable import Engine

@Suite struct ConfigFuzzTests {
    private static let words = [
        "0", "1", "-1", "9223372036854775807", "-9223372036854775808", "18446744073709551616", "1gb", "99999999999gb",
        "50%", "-", "%", "\"", "'", "\\", "\\x4", "\"\\xff\\x00\"", "yes", "no", "*", "[", "{", "{{", "}", "::", "1:2",
        "1.2.3.4", "999.1.1.1", "e", "1e400", "0x", "nan", "KEA", "normal", "pubsub", "no one", "\u{0}", "\u{7f}", "é",
        "",
    ]

    private func randomBytes(_ generator: inout SeededGenerator, _ limit: Int) -> [UInt8] {
        (0..<Int.random(in: 0...limit, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    /// A directive's name with words behind it, sometimes damaged.
    private func randomLine(_ generator: inout SeededGenerator) -> [UInt8] {
        let names = DirectiveTable.names.map(\.name) + ["include", "user", "rename-command", "sentinel", "loadmodule"]
        var line = bytes(names.randomElement(using: &generator) ?? "")
        for _ in 0..<Int.random(in: 0...4, using: &generator) {
            line += [32] + bytes(ConfigFuzzTests.words.randomElement(using: &generator) ?? "")
        }
        if Int.random(in: 0..<4, using: &generator) == 0, !line.isEmpty {
            line[Int.random(in: 0..<line.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
        return line
    }

    @Test(arguments: 0..<8) func filesNeverTrap(round: Int) {
        var generator = SeededGenerator(seed: UInt64(1000 + round))
        for _ in 0..<150 {
            let isNoise = Bool.random(using: &generator)
            var content: [UInt8] = isNoise ? randomBytes(&generator, 200) : []
            for _ in 0..<Int.random(in: 0...5, using: &generator) { content += randomLine(&generator) + [10] }
            var loader = ConfigLoader(fileSystem: MemoryFiles().fileSystem, coreCount: 2)
            do throws(ConfigLoadError) {
                try loader.load(text: content, path: bytes("/etc/fuzz.conf"))
            } catch {
                #expect(!error.report(product: "x").isEmpty)
            }
            var rewriter = ConfigRewriter(content: content)
            rewriter.write(loader.config)
            let rewritten = rewriter.finish()
            #expect(rewritten.last == 10)
        }
    }

    @Test(arguments: 0..<8) func setNeverTrapsAndRefusalsChangeNothing(round: Int) {
        var generator = SeededGenerator(seed: UInt64(2000 + round))
        let files = MemoryFiles()
        var config = load(["--enable-protected-configs", "yes"], files: files).config
        for step in 0..<1000 {
            let line = randomLine(&generator)
            let name = line.prefix { $0 != 32 }
            let value =
                Bool.random(using: &generator) ? Array(line.dropFirst(name.count + 1)) : randomBytes(&generator, 30)
            let before = config
            do throws(ConfigSetError) {
                try config.set(
                    [(Array(name), value)], by: ConfigClient(isLocal: true), fileSystem: files.fileSystem, hooks: [])
            } catch {
                #expect(config == before, "seed \(2000 + round) step \(step)")
                #expect(!error.reply.isEmpty)
            }
        }
        // Whatever was accepted must be writable and readable.
        var rewriter = ConfigRewriter(content: [], writesAll: true)
        rewriter.write(config)
        files.put("/etc/fuzz.conf", rewriter.finish())
        let again = load(["/etc/fuzz.conf"], files: files)
        #expect(again.report == nil, "seed \(2000 + round)")
        for (old, new) in zip(config.get([bytes("*")]), again.config.get([bytes("*")])) {
            #expect(old.value == new.value, "seed \(2000 + round): \(text(old.name))")
        }
    }

    @Test func argumentsPatternsAndEnvironmentNeverTrap() {
        var generator = SeededGenerator(seed: 3000)
        let config = Config()
        for _ in 0..<150 {
            let noise = (0..<Int.random(in: 0...5, using: &generator)).map { _ in
                Bool.random(using: &generator) ? randomBytes(&generator, 20) : bytes("--") + randomLine(&generator)
            }
            _ = StartArguments(noise)
            _ = config.get(noise)
            _ = Config.isSensitive(noise.first ?? [])
            _ = DirectiveTable.suggestion(for: noise.first ?? [])
            var loader = ConfigLoader(fileSystem: MemoryFiles().fileSystem, coreCount: 2)
            do throws(ConfigLoadError) {
                let variables = noise.map { (name: bytes("FOG_") + $0, value: randomBytes(&generator, 10)) }
                try loader.load(StartArguments([bytes("x")]), environment: variables)
            } catch {
                #expect(error.origin != nil || !error.reason.isEmpty)
            }
        }
    }
}
