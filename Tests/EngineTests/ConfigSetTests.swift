// ConfigSetTests.swift - CONFIG GET and CONFIG SET: names, several pairs at once, rights, hooks and rollback.
// Expected texts are the stock server's, word for word. The file system is in memory, so `dir` moves nothing real.
// Hooks write down what they saw, because order and repetition are part of the contract.
import Base
import Synchronization
import Testing

@testable import Engine

@Suite struct ConfigSetTests {
    private func names(_ config: Config, _ patterns: String...) -> [String] {
        config.get(patterns.map { bytes($0) }).map { text($0.name) }
    }

    @Test func getAnswersUnderTheNameThatWasAsked() {
        let config = Config()
        #expect(names(config, "MaxMemory") == ["MaxMemory"])
        #expect(names(config, "maxmemory", "MAXMEMORY") == ["maxmemory"])
        #expect(names(config, "slaveof") == ["slaveof"])
        #expect(names(config, "*of") == ["replicaof", "slaveof"])
        #expect(names(config, "hash-max-*-value") == ["hash-max-listpack-value", "hash-max-ziplist-value"])
        #expect(names(config, "maxmemory", "maxmemory*").filter { $0 == "maxmemory" }.count == 1)
        #expect(names(config, "nosuch", "timeout", "hz") == ["timeout", "hz"])
        #expect(names(config).isEmpty)
    }

    @Test func hiddenDirectivesNeedTheirName() {
        let config = Config()
        #expect(!names(config, "*").contains("key-load-delay"))
        #expect(!names(config, "key-load-*").contains("key-load-delay"))
        #expect(names(config, "key-load-delay") == ["key-load-delay"])
    }

    private static let failed = "ERR CONFIG SET failed (possibly related to argument "

    @Test(
        arguments: [
            (["nosuch", "1"], "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'"),
            (["maxmemory", "1", "NoSuch", "1"], "ERR Unknown option or number of arguments for CONFIG SET - 'NoSuch'"),
            (["DAEMONIZE", "yes"], failed + "'DAEMONIZE') - can't set immutable config"),
            (["maxmemory", "1", "MAXMEMORY", "2"], failed + "'MAXMEMORY') - duplicate parameter"),
            (["MAXMEMORY", "1x"], failed + "'maxmemory') - argument must be a memory value"),
            (
                ["hash-max-ziplist-entries", "-1"],
                failed + "'hash-max-ziplist-entries') - argument must be between 0 and 9223372036854775807 inclusive"
            ),
            (
                ["maxmemory", "1", "maxmemory-clients", "200%", "hz", "x"],
                failed + "'maxmemory-clients') - percentage argument must be less or equal to 100"
            ),
            (["maxclients", "-1"], failed + "'maxclients') - argument must be between 1 and 4294967295 inclusive"),
            (
                ["appendfsync", "sometimes"],
                failed + "'appendfsync') - argument(s) must be one of the following: everysec, always, no"
            ),
            (
                ["maxmemory-policy", "lru"],
                failed
                    + """
                    'maxmemory-policy') - argument(s) must be one of the following: volatile-lru, volatile-lfu, \
                    volatile-random, volatile-ttl, volatile-lrm, allkeys-lru, allkeys-lfu, allkeys-random, \
                    allkeys-lrm, noeviction, allkeys-s3fifo, allkeys-tinylfu
                    """
            ),
            (["save", "1 2 3"], failed + "'save') - Invalid save parameters"),
            (["rdma-bind", "x"], failed + "'rdma-bind') - No RDMA building support."),
        ] as [([String], String)])
    func refusals(words: [String], expected: String) {
        var config = Config()
        let before = config
        let pairs = stride(from: 0, to: words.count, by: 2).map { (bytes(words[$0]), bytes(words[$0 + 1])) }
        do throws(ConfigSetError) {
            try config.set(pairs, by: ConfigClient(isLocal: true), fileSystem: MemoryFiles().fileSystem, hooks: [])
            Issue.record("accepted")
        } catch {
            #expect(text(error.reply) == expected)
        }
        #expect(config == before)
    }

    @Test func severalPairsApplyTogether() {
        var config = Config()
        #expect(config.reply("maxmemory", "10000001", "repl-backlog-size", "10000002", "save", "3000 5") == "OK")
        #expect(config.settings.maxmemory == 10_000_001)
        #expect(config.settings.replBacklogSize == 10_000_002)
        #expect(config.string("save") == "3000 5")
        // An alias and its primary name are two names.
        #expect(config.reply("hash-max-ziplist-entries", "5", "hash-max-listpack-entries", "6") == "OK")
        #expect(config.settings.hashMaxListpackEntries == 6)
    }

    @Test func valuesThatAreWishesAreMovedIntoRange() {
        var config = Config()
        #expect(config.reply("hz", "100000", "repl-backlog-size", "1") == "OK")
        #expect(config.string("hz") == "500" && config.settings.hz == 500)
        #expect(config.string("repl-backlog-size") == "16384")
        #expect(config.reply("hz", "0") == "OK")
        #expect(config.settings.hz == 1)
    }

    @Test func protectedDirectivesAndLoading() {
        let remote = ConfigClient(isLocal: false)
        var config = load(file: "enable-protected-configs local\n").config
        #expect(
            config.reply("dbfilename", "a.rdb", client: remote)
                == ConfigSetTests.failed + "'dbfilename') - can't set protected config")
        #expect(config.reply("dbfilename", "a.rdb") == "OK")
        config = load(file: "enable-protected-configs yes\n").config
        #expect(config.reply("dbfilename", "a.rdb", client: remote) == "OK")
        let loading = ConfigClient(isLocal: true, isLoading: true)
        #expect(config.reply("dir", "/data", client: loading) == "LOADING Redis is loading the dataset in memory")
        #expect(
            config.reply("loglevel", "debug", "appendonly", "yes", client: loading)
                == "LOADING Redis is loading the dataset in memory")
        #expect(config.settings.logLevel == .notice)
        #expect(config.reply("loglevel", "debug", client: loading) == "OK")
    }

    @Test func directoryMovesAtOnceAndBackOnRefusal() {
        let files = MemoryFiles()
        var config = load(["--enable-protected-configs", "yes"], files: files).config
        #expect(config.reply("dir", "/data", files: files) == "OK")
        #expect(files.directory == "/data" && config.string("dir") == "/data")
        #expect(
            config.reply("dir", "/etc", "hz", "x", files: files)
                == ConfigSetTests.failed + "'hz') - argument couldn't be parsed into an integer")
        #expect(files.directory == "/data" && config.string("dir") == "/data")
        #expect(
            config.reply("dir", "/nowhere", files: files)
                == ConfigSetTests.failed + "'dir') - No such file or directory")
        let hook = ConfigHook(["hz"]) { _, _ in "no" }
        #expect(
            config.reply("dir", "/etc", "hz", "11", files: files, hooks: [hook])
                == ConfigSetTests.failed + "'hz') - no")
        #expect(files.directory == "/data" && config.string("dir") == "/data" && config.settings.hz == 10)
    }

    /// What a hook saw, in order: "name:new/old".
    private final class Journal: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    @Test func hooksRunOncePerCommandAndOnlyForChanges() {
        let journal = Journal()
        let limits = ConfigHook(["maxmemory", "maxmemory-policy"]) { new, old in
            journal.add("memory:\(new.settings.maxmemory)/\(old.settings.maxmemory)")
            return nil
        }
        let clients = ConfigHook(["maxclients"]) { new, _ in
            journal.add("clients:\(new.settings.maxClients)")
            return nil
        }
        var config = Config()
        let hooks = [clients, limits]
        #expect(config.reply("timeout", "5", hooks: hooks) == "OK")
        #expect(config.reply("maxmemory", "0", "maxclients", "10000", hooks: hooks) == "OK")
        #expect(journal.all == [])
        #expect(
            config.reply("maxmemory", "7", "maxmemory-policy", "allkeys-lru", "maxclients", "9", hooks: hooks) == "OK")
        #expect(journal.all == ["memory:7/0", "clients:9"])
        // A file may have changed under its name, so setting the same name counts.
        let certificates = ConfigHook(["tls-cert-file"]) { _, _ in
            journal.add("tls")
            return nil
        }
        #expect(config.reply("tls-cert-file", "", hooks: [certificates]) == "OK")
        #expect(journal.all.last == "tls")
    }

    @Test func aHookThatRefusesTakesEverythingBack() {
        let journal = Journal()
        let memory = ConfigHook(["maxmemory"]) { new, _ in
            journal.add("memory:\(new.settings.maxmemory)")
            return nil
        }
        let port = ConfigHook(["port", "bind"]) { new, _ in
            journal.add("port:\(new.settings.port)")
            return new.settings.port == 1 ? "Unable to listen on this port. Check server logs." : nil
        }
        let late = ConfigHook(["timeout"]) { _, _ in
            journal.add("late")
            return nil
        }
        var config = Config()
        let reply = config.reply("maxmemory", "9", "PORT", "1", "timeout", "3", hooks: [late, port, memory])
        #expect(reply == ConfigSetTests.failed + "'port') - Unable to listen on this port. Check server logs.")
        #expect(journal.all == ["memory:9", "port:1", "memory:0", "port:6379"])
        #expect(config.settings == Config().settings)
        #expect(config.string("maxmemory") == "0" && config.string("port") == "6379")
    }

    @Test func aPlanCanBeFollowedByTheCaller() throws {
        var config = Config()
        let change = try config.planSet(
            [(bytes("slave-priority"), bytes("7"))], by: ConfigClient(isLocal: true),
            fileSystem: MemoryFiles().fileSystem)
        #expect(change.changed.map(\.directive) == ["replica-priority"])
        #expect(change.changed.map { text($0.name) } == ["slave-priority"])
        #expect(config.settings.replicaPriority == 100)
        config = change.new
        #expect(config.settings.replicaPriority == 7)
        config.revert(change, fileSystem: MemoryFiles().fileSystem)
        #expect(config.settings.replicaPriority == 100)
    }

    @Test func secretsAreKnown() {
        for name in ["requirepass", "MASTERAUTH", "primaryauth", "masteruser", "tls-key-file-pass"] {
            #expect(Config.isSensitive(bytes(name)))
        }
        #expect(!Config.isSensitive(bytes("maxmemory")) && !Config.isSensitive(bytes("nosuch")))
    }

    @Test func passwordsKeepAnyBytes() throws {
        var config = Config()
        let password: [UInt8] = [0, 255, 10, 34, 128]
        try config.set(
            [(bytes("requirepass"), password)], by: ConfigClient(isLocal: true),
            fileSystem: MemoryFiles().fileSystem, hooks: [])
        #expect(config.requirePass == password)
        #expect(config.get([bytes("requirepass")])[0].value == password)
        // Other texts are C strings.
        try config.set(
            [(bytes("ignore-warnings"), [120, 0, 121])], by: ConfigClient(isLocal: true),
            fileSystem: MemoryFiles().fileSystem, hooks: [])
        #expect(config.string("ignore-warnings") == "x")
    }
}
