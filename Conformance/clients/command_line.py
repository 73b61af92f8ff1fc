"""redis-cli in all its modes and redis-benchmark's default run: the tools that everybody has at hand."""
from __future__ import annotations

import json
import re

from checklist import command_names
from clients.checks import Context, check
from resp import encode

# What redis-benchmark runs by default, and the command each test needs.
BENCHMARK_TESTS = (
    ("ping_inline", "ping"), ("ping_mbulk", "ping"), ("set", "set"), ("get", "get"), ("incr", "incr"), ("lpush",
                                                                                                        "lpush"),
    ("rpush", "rpush"), ("lpop", "lpop"), ("rpop", "rpop"), ("sadd", "sadd"), ("hset", "hset"), ("spop", "spop"),
    ("zadd", "zadd"), ("zpopmin", "zpopmin"), ("lrange_100", "lrange"), ("lrange_300", "lrange"), ("lrange_500",
                                                                                                   "lrange"),
    ("lrange_600", "lrange"), ("mset", "mset"),
)


@check("set", "get")
def prints_replies(context: Context) -> None:
    """Plain, raw, CSV and JSON output, repeated commands, arguments from standard input, exit codes."""
    assert context.cli("SET", "k", "two words") == "OK\n"
    assert context.cli("GET", "k") == "two words\n"
    assert context.cli("--no-raw", "GET", "k") == "\"two words\"\n"
    assert context.cli("--no-raw", "GET", "none") == "(nil)\n"
    assert context.cli("--csv", "MGET", "k", "none") == "\"two words\",NULL\n"
    assert json.loads(context.cli("--json", "MGET", "k", "none")) == ["two words", None]
    assert context.cli("-3", "--no-raw", "CONFIG", "GET", "maxmemory").startswith("1# \"maxmemory\" =>")
    assert context.cli("-r", "3", "-i", "0.01", "PING") == "PONG\n" * 3
    assert context.cli("-x", "SET", "from-stdin", text="piped in") == "OK\n"
    assert context.cli("STRLEN", "from-stdin") == "8\n"
    assert "ERR unknown command" in context.cli("NOSUCH")
    assert context.cli("-n", "3", "DBSIZE") == "0\n"
    assert context.cli("-u", f"redis://127.0.0.1:{context.server.port}/0", "GET", "k") == "two words\n"


@check("set", "get")
def takes_sessions(context: Context) -> None:
    """A session piped into standard input, quotes and escapes as redis-cli sends them."""
    session = "SET a \"x\\x41y\"\nGET a\nSELECT 1\nSET b 1\nINCR b\nSELECT 0\nDBSIZE\n\nHELLO 3\nPING\n"
    lines = context.cli(text=session).splitlines()
    assert lines[:7] == ["OK", "xAy", "OK", "OK", "2", "OK", "1"], lines
    assert lines[-1] == "PONG"


@check("command|docs")
def hints_come_from_the_server(context: Context) -> None:
    """HELP in redis-cli and the hints it fetches from COMMAND DOCS."""
    assert "SET key value" in re.sub(r"\x1b\[[0-9;]*m", "", context.cli("help", "set"))
    assert len(context.cli("COMMAND", "DOCS", "get")) > 50


@check("info", "dbsize")
def shows_statistics(context: Context) -> None:
    """redis-cli --stat prints a line a second."""
    output = context.watch("--stat", "-i", "0.2", seconds=1.6)
    assert "keys" in output and "clients" in output
    assert len(re.findall(r"^\d+ +\S+ +\d+ +\d+ +\d+", output, re.MULTILINE)) >= 3, output


@check("ping")
def measures_latency(context: Context) -> None:
    """redis-cli --latency and --latency-history."""
    output = context.watch("--latency", "--raw", "-i", "1", seconds=2.5)
    assert re.search(r"^\d+ \d+ [\d.]+ \d+", output, re.MULTILINE), output


@check("scan", "type", "strlen")
def finds_big_keys(context: Context) -> None:
    """redis-cli --bigkeys samples all keys and names the biggest."""
    context.cli("MSET", "small", "1", "large", "x" * 5000, "medium", "x" * 50)
    output = context.cli("--bigkeys")
    assert "Sampled 3 keys in the keyspace!" in output, output
    assert re.search(r"Biggest string found '\"large\"' has 5000 bytes", output), output


@check("scan", "memory|usage")
def finds_memory_keys(context: Context) -> None:
    """redis-cli --memkeys asks MEMORY USAGE of every key."""
    context.cli("MSET", "small", "1", "large", "x" * 50000)
    output = context.cli("--memkeys")
    assert "Sampled 2 keys in the keyspace!" in output and "'\"large\"'" in output, output


@check("object|freq", "scan", "config|set")
def finds_hot_keys(context: Context) -> None:
    """redis-cli --hotkeys under an LFU policy."""
    context.cli("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
    context.cli("SET", "hot", "1")
    for _ in range(30):
        context.cli("GET", "hot")
    output = context.cli("--hotkeys")
    context.cli("CONFIG", "SET", "maxmemory-policy", "noeviction")
    assert "hot" in output and "Sampled 1 keys" in output, output


@check("scan", "mset")
def lists_keys(context: Context) -> None:
    """redis-cli --scan with a pattern."""
    context.cli("MSET", *[part for number in range(500) for part in (f"user:{number}", "1")])
    assert len(set(context.cli("--scan").split())) == 500
    assert set(context.cli("--scan", "--pattern", "user:1?").split()) == {f"user:{number}" for number in range(10, 20)}
    assert len(context.cli("--scan", "--quoted-pattern", "\"user:\\x31\"").split()) == 1


@check("set", "echo")
def loads_in_bulk(context: Context) -> None:
    """redis-cli --pipe loads a hundred thousand commands."""
    commands = b"".join(encode("SET", f"key:{number}", f"value {number}") for number in range(100_000)).decode()
    output = context.cli("--pipe", text=commands)
    assert "errors: 0, replies: 100000" in output, output
    assert context.cli("DBSIZE") == "100000\n"
    output = context.tool("sh", "-c",
                          f"printf 'SET a b\\r\\nNOSUCH\\r\\n' | redis-cli -p {context.server.port} --pipe; true")
    assert "errors: 1, replies: 2" in output, output


@check("monitor")
def monitors(context: Context) -> None:
    """redis-cli MONITOR sees the commands of others."""
    output = context.tool("sh", "-c", f"timeout 1 redis-cli -p {context.server.port} MONITOR & sleep 0.4; "
                                      f"redis-cli -p {context.server.port} SET watched 1; wait; true")
    assert '"SET" "watched" "1"' in output, output


@check("subscribe", "publish")
def subscribes(context: Context) -> None:
    """redis-cli SUBSCRIBE receives what another publishes."""
    output = context.tool("sh", "-c", f"timeout 1 redis-cli -p {context.server.port} SUBSCRIBE news & sleep 0.4; "
                                      f"redis-cli -p {context.server.port} PUBLISH news hello; wait; true")
    assert "hello" in output, output


@check("eval")
def evaluates_scripts(context: Context) -> None:
    """redis-cli --eval runs a script file with keys and arguments."""
    path = context.server.folder / "script.lua"
    path.write_text("return {KEYS[1], ARGV[1]}")
    assert context.cli("--eval", str(path), "k", ",", "v").split() == ["k", "v"]


@check("sync")
def fetches_a_dump(context: Context) -> None:
    """redis-cli --rdb fetches a dump file."""
    context.cli("SET", "k", "v")
    path = context.server.folder / "fetched.rdb"
    context.cli("--rdb", str(path))
    assert path.read_bytes().startswith(b"REDIS")


@check("set", "get", "config|get")
def runs_the_default_benchmark(context: Context) -> None:
    """redis-benchmark -q runs its default tests for every command there is, without and with a pipeline."""
    names = command_names(context.server)
    present = [test for test, command in BENCHMARK_TESTS if command in names]
    assert len(present) >= 6, present
    for depth in ("1", "16"):
        output = context.tool("redis-benchmark", "-p", str(context.server.port), "-q", "-n", "10000", "-P", depth,
                              "-t", ",".join(present), seconds=300)
        lines = re.findall(r"([A-Z_0-9]+)[^:\r\n]*: [\d.]+ requests per second", output)
        assert len(set(lines)) >= len(present) - 2, output
        assert "WARNING" not in output and "Error" not in output, output


@check("set", "get", "config|get")
def runs_random_key_benchmark(context: Context) -> None:
    """redis-benchmark with random keys, many clients and several threads of its own."""
    output = context.tool("redis-benchmark", "-p", str(context.server.port), "-q", "-n", "20000", "-r", "1000", "-c",
                          "100",
                          "--threads", "2", "-d", "200", "-t", "set,get")
    assert output.count("requests per second") >= 2, output
    assert 500 < int(context.cli("DBSIZE")) <= 1000
