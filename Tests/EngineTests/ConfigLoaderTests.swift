// ConfigLoaderTests.swift - the configuration at start: lines, includes, standard input, environment, command line,
// precedence and the message that stops a start.
// Files live in memory; every expected message is compared whole.
import Base
import Testing

@testable import Engine

@Suite struct ConfigLoaderTests {
    @Test func readsAFileLikeRedis() {
        let loaded = load(
            file: """
                # a comment
                \tMaxMemory   1gb\r
                MAXMEMORY-POLICY 'allkeys-lfu'
                "port" "7001"

                slave-priority 5
                requirepass "a b\\x21"
                save 900 1 300 10
                save 60 1000
                client-output-buffer-limit slave 1mb 2kb 3
                shutdown-on-sigterm "nosave now"
                list-max-ziplist-entries 512
                rename-command FLUSHALL ""
                user alice on >secret ~*
                timeout 7
                timeout 8
                """)
        #expect(loaded.report == nil)
        #expect(loaded.config.settings.maxmemory == 1 << 30)
        #expect(loaded.config.settings.maxmemoryPolicy == .allKeysLFU)
        #expect(loaded.config.settings.port == 7001)
        #expect(loaded.config.settings.replicaPriority == 5)
        #expect(text(loaded.config.requirePass) == "a b!")
        #expect(loaded.value("save") == "900 1 300 10 60 1000")
        #expect(loaded.config.settings.outputBufferLimits.replica.softBytes == 2048)
        #expect(loaded.config.settings.shutdownOnSigterm == [.noSave, .now])
        #expect(loaded.config.settings.timeoutSeconds == 8)
        #expect(loaded.loader.renamedCommands.map { text($0.from) } == ["FLUSHALL"])
        #expect(loaded.loader.renamedCommands.map(\.to) == [[]])
        #expect(
            loaded.loader.userLines.map { $0.arguments.map { text($0) } } == [["user", "alice", "on", ">secret", "~*"]])
        #expect(loaded.loader.warnings.count == 1)
        #expect(text(loaded.loader.configPath ?? []) == "/etc/test.conf")
    }

    @Test(
        arguments: [
            ("port 1\nmaxmemroy 1", 2, "maxmemroy 1", "Bad directive or wrong number of arguments", "maxmemory"),
            ("port abc", 1, "port abc", "argument couldn't be parsed into an integer", nil),
            ("\n\n  port  \n", 3, "port", "wrong number of arguments", nil),
            ("port 1 2", 1, "port 1 2", "wrong number of arguments", nil),
            ("requirepass \"a", 1, "requirepass \"a", "Unbalanced quotes in configuration line", nil),
            ("include", 1, "include", "Bad directive or wrong number of arguments", nil),
            (
                "loadmodule /x.so a", 1, "loadmodule /x.so a",
                "loadmodule is not supported: this server has no module interface", nil
            ),
            (
                "sentinel monitor m 1 2 3", 1, "sentinel monitor m 1 2 3",
                "sentinel directive while not in sentinel mode", nil
            ),
            ("save 1", 1, "save 1", "Invalid save parameters", nil),
            (
                "bind a b c d e f g h i j k l m n o p q", 1, "bind a b c d e f g h i j k l m n o p q",
                "Too many bind addresses specified.", nil
            ),
            ("dir /nowhere", 1, "dir /nowhere", "No such file or directory", nil),
            ("dbfilename a\u{0}b", 1, "dbfilename a\u{0}b", "the line holds a NUL byte", nil),
            ("unixsocketperm 1000", 1, "unixsocketperm 1000", "argument must be between 0 and 777 inclusive", nil),
        ] as [(String, Int, String, String, String?)])
    func stopsAtTheFirstBadLine(content: String, number: Int, line: String, reason: String, guess: String?) {
        let expected =
            "\n*** FATAL CONFIG FILE ERROR (Redis 8.2.0) ***\nReading the configuration file, at line \(number)\n"
            + ">>> '\(line)'\n\(reason)\n" + (guess.map { "Did you mean '\($0)'?\n" } ?? "")
            + "The line comes from the file /etc/test.conf.\n"
        #expect(load(file: content + "\nport zzz\n").report == expected)
    }

    @Test func wholeConfigurationErrorsHaveNoLine() {
        let start = "\n*** FATAL CONFIG FILE ERROR (Redis 8.2.0) ***\n"
        #expect(
            load(file: "logfile /nowhere/a.log\n").report == start
                + "Can't open the log file: No such file or directory\n")
        #expect(
            load(file: "cluster-enabled yes\nreplicaof 127.0.0.1 1\n").report
                == start + "replicaof directive not allowed in cluster mode\n")
    }

    @Test func anUnreadableFileIsNamed() {
        #expect(
            load(["/etc/missing.conf"]).report
                == "Fatal error, can't open config file '/etc/missing.conf': No such file or directory")
        #expect(
            load(file: "include gone.conf\n").report
                == "Fatal error, can't open config file '/srv/gone.conf': No such file or directory")
    }

    @Test func relativeNamesFollowDir() {
        let files = MemoryFiles([
            "/etc/test.conf": "dir /data\ninclude more.conf\nlogfile a.log\n", "/data/more.conf": "timeout 4\n",
        ])
        let loaded = load(["/etc/test.conf"], files: files)
        #expect(loaded.report == nil)
        #expect(loaded.value("dir") == "/data" && files.directory == "/data" && loaded.value("timeout") == "4")
    }

    @Test func includesNestInOrderAndGlobsSort() {
        let files = MemoryFiles([
            "/etc/test.conf": "timeout 1\ninclude /etc/conf.d/*.conf\nhz 20\ninclude /etc/none/*.conf\n",
            "/etc/conf.d/b.conf": "timeout 3\ninclude /etc/deep.conf\n", "/etc/conf.d/a.conf": "timeout 2\nhz 30\n",
            "/etc/conf.d/c.txt": "timeout 99\n", "/etc/deep.conf": "databases 5\n",
        ])
        let loaded = load(["/etc/test.conf"], files: files)
        #expect(loaded.report == nil)
        #expect(loaded.value("timeout") == "3" && loaded.value("hz") == "20" && loaded.value("databases") == "5")
    }

    @Test func errorsInsideIncludesNameTheFile() {
        let files = MemoryFiles(["/etc/test.conf": "include /etc/a.conf\n", "/etc/a.conf": "# x\nport x\n"])
        let report = load(["/etc/test.conf"], files: files).report ?? ""
        #expect(report.contains("at line 2\n>>> 'port x'\n"))
        #expect(report.hasSuffix("The line comes from the file /etc/a.conf.\n"))
    }

    @Test func includeLoopsAndDepthAreRefused() {
        let loop = MemoryFiles(["/etc/a.conf": "include /etc/b.conf\n", "/etc/b.conf": "include /etc/a.conf\n"])
        let report = load(["/etc/a.conf"], files: loop).report ?? ""
        #expect(report.contains("include loop: /etc/a.conf -> /etc/b.conf -> /etc/a.conf\n"))
        var deep: [String: String] = [:]
        for level in 0..<40 { deep["/etc/\(level).conf"] = "include /etc/\(level + 1).conf\n" }
        #expect(load(["/etc/0.conf"], files: MemoryFiles(deep)).report?.contains("more than 16 deep") == true)
        // The same file twice, one after the other, is fine.
        let twice = MemoryFiles(["/etc/a.conf": "include /etc/b.conf\ninclude /etc/b.conf\n", "/etc/b.conf": "hz 11\n"])
        #expect(load(["/etc/a.conf"], files: twice).report == nil)
    }

    @Test func standardInputComesAfterTheFile() {
        let files = MemoryFiles(["/etc/test.conf": "timeout 1\nhz 20\n"], standardInput: "timeout 2\ndatabases 4\n")
        let loaded = load(["/etc/test.conf", "--databases", "5", "-"], files: files)
        #expect(loaded.report == nil)
        #expect(loaded.value("timeout") == "2" && loaded.value("hz") == "20" && loaded.value("databases") == "5")
        let bad = load(["-"], files: MemoryFiles(standardInput: "hz 1\nport x\n")).report ?? ""
        #expect(bad.contains("at line 2\n>>> 'port x'\n") && bad.hasSuffix("The line comes from standard input.\n"))
    }

    @Test func commandLineErrorsCountOnFromTheFile() {
        #expect(load(["--port", "abc"]).report?.contains("at line 2\n>>> 'port \"abc\"'\n") == true)
        #expect(load(file: "hz 10\nhz 20\n", ["--hz", "5", "--port", "abc"]).report?.contains("at line 5\n") == true)
        #expect(load(file: "hz 10", ["--port", "abc"]).report?.contains("at line 2\n") == true)
    }

    @Test func precedenceIsFileEnvironmentCommandLine() {
        let files = MemoryFiles(["/etc/test.conf": "timeout 1\nhz 20\nmaxmemory 1mb\n"])
        let loaded = load(
            ["/etc/test.conf", "--maxmemory", "3mb"],
            environment: [
                ("HOME", "/root"), ("FOG_HZ", "30"), ("FOG_MAXMEMORY", "2mb"), ("FOG_LUA_TIME_LIMIT", "9"),
                ("FOG_SERVER_CPULIST", "0-1"), ("FOG_BIND", "127.0.0.1 ::1"), ("FOG_REQUIREPASS", "a b \"c\""),
            ],
            files: files)
        #expect(loaded.report == nil)
        #expect(loaded.value("timeout") == "1" && loaded.value("hz") == "30" && loaded.value("maxmemory") == "3145728")
        #expect(loaded.value("busy-reply-threshold") == "9" && loaded.value("server-cpulist") == "0-1")
        #expect(loaded.config.bindAddresses == ["127.0.0.1", "::1"])
        #expect(loaded.value("requirepass") == "a b \"c\"")
        #expect(loaded.loader.warnings == [])
    }

    @Test func environmentMistakes() {
        let bad = load([], environment: [("FOG_MAXMEMORY", "lots")]).report ?? ""
        #expect(bad.contains(">>> 'maxmemory \"lots\"'\nargument must be a memory value\n"))
        #expect(bad.hasSuffix("The line comes from the environment variable FOG_MAXMEMORY.\n"))
        let odd = load(
            [], environment: [("FOG_MAXMEMROY", "1"), ("FOG_SERVICE_HOST", "x"), ("FOG_PORT", "tcp://10.0.0.1:6379")])
        #expect(odd.report == nil && odd.value("port") == "6379")
        #expect(odd.loader.warnings.count == 3)
        #expect(odd.loader.warnings[0].hasSuffix("did you mean FOG_MAXMEMORY?"))
    }

    @Test(
        arguments: [
            ("", [], "", "3600 1 300 100 60 10000"), ("save 900 1\n", [], "", "900 1"),
            ("save 900 1\nsave 60 2\n", [], "", "900 1 60 2"), ("save \"\"\n", [], "", ""),
            ("save \"\"\nsave 60 2\n", [], "", "60 2"), ("save 60 2\nsave \"\"\n", [], "", ""),
            ("save 900 1\n", ["--save", "60", "1"], "", "900 1 60 1"), ("", ["--save", "60 1"], "", "60 1"),
            ("save 900 1\n", ["--save", ""], "", ""), ("save 900 1\n", [], "5 6", "5 6"), ("", [], "5 6", "5 6"),
            ("save 900 1\n", ["--save", "7", "8"], "5 6", "7 8"),
            ("save 900 1\n", ["--save", "7", "8", "--save", "9", "1"], "5 6", "7 8 9 1"),
        ] as [(String, [String], String, String)])
    func savePointsFromEverySource(file: String, words: [String], environment: String, expected: String) {
        let loaded = load(
            ["/etc/test.conf"] + words, environment: environment.isEmpty ? [] : [("FOG_SAVE", environment)],
            files: MemoryFiles(["/etc/test.conf": file]))
        #expect(loaded.report == nil)
        #expect(loaded.value("save") == expected)
    }

    @Test func sentinelMode() {
        let loaded = load(
            ["/etc/s.conf", "--sentinel"], files: MemoryFiles(["/etc/s.conf": "sentinel monitor m 127.0.0.1 6379 2\n"]))
        #expect(loaded.report == nil)
        #expect(loaded.value("port") == "26379" && loaded.config.settings.protectedMode == false)
        #expect(loaded.loader.sentinelLines.map(\.origin.lineNumber) == [1])
    }

    @Test func theDefaultFileOfTheStockSuiteLoads() {
        let loaded = load(
            file: """
                always-show-logo yes
                notify-keyspace-events KEA
                daemonize no
                pidfile /var/run/redis.pid
                port 6379
                timeout 0
                bind 127.0.0.1
                loglevel verbose
                logfile ''
                databases 16
                latency-monitor-threshold 1
                repl-diskless-sync-delay 0
                save 900 1
                rdbcompression yes
                dbfilename dump.rdb
                dir ./
                slave-serve-stale-data yes
                appendonly no
                appendfsync everysec
                no-appendfsync-on-rewrite no
                activerehashing yes
                unixsocket /tmp/x.sock
                enable-protected-configs yes
                enable-debug-command yes
                enable-module-command yes
                propagation-error-behavior panic
                shutdown-on-sigterm force
                enable-debug-assert yes
                hide-user-data-from-log no
                crash-memcheck-enabled no
                use-exit-on-panic yes
                cluster-ping-interval 1000
                cluster-node-timeout 2000
                cluster-slave-validity-factor 10
                cluster-slot-stats-enabled yes
                """.replacing("dir ./", with: "dir /srv"))
        #expect(loaded.report == nil)
        #expect(loaded.loader.warnings == [])
    }
}
