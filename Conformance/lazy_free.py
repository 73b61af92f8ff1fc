"""Shows how long anybody waits while collections of millions of elements are freed.

Usage: lazy_free.py [--elements N] [--rounds N] [--priority] [--types hash ...] [--ways del ...]
A collection of each type is made once and copied for each way to lose it: DEL, UNLINK, its time to live, SET over it,
eviction, FLUSHALL. Meanwhile one client writes single keys one after the other and notes each round trip. Looked at are
the command's own time (SLOWLOG), the longest round of an event loop (INFO's fog_eventloop_longest_usec) and the longest
of those round trips, the median over the rounds, each with the same target. With them stands how long the loops waited
for a core that somebody else had: the machine's doing, so run it on a quiet one, or with --priority (root).
"""
from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Iterable

from benchmarks.latency import probe_path
from benchmarks.measure import fill, resident_bytes
from persistence_bench import info
from resp import Connection, encode
from servers import BINARIES, Server

MICROSECONDS_MAX = 1000
CHUNK = 500
PROBE_KEYS = 100
PROBE_WRITES_PER_SECOND = 1000
PROBE_VALUE_BYTES = 16
# Freeing goes on for a while after the command.
QUIET_SECONDS = 0.5
WAIT_SECONDS = 120

TYPES: dict[str, tuple[str, Callable[[int], tuple[str, ...]]]] = {
    "hash": ("HSET", lambda number: (f"member:{number:09d}", f"value{number:07d}")),
    "set": ("SADD", lambda number: (f"member:{number:09d}",)),
    "zset": ("ZADD", lambda number: (str(number), f"member:{number:09d}")),
    "list": ("RPUSH", lambda number: (f"element:{number:09d}:{'x' * 40}",)),
    "stream": ("XADD", lambda number: ()),
}


def collection(kind: str, count: int) -> Iterable[bytes]:
    """The commands that make the key `source`."""
    command, parts = TYPES[kind]
    if kind == "stream":
        yield from (encode("XADD", "source", f"{number + 1}-1", "field", f"value{number:09d}")
                    for number in range(count))
        return
    for first in range(0, count, CHUNK):
        yield encode(command, "source", *(part for number in range(first, first + CHUNK) for part in parts(number)))


def ask(connection: Connection, *words: str) -> bytes:
    reply = connection.command(*words)
    if reply.is_error():
        sys.exit(f"{' '.join(words)}: {reply.text()!r}")
    return reply.text()


def lose(connection: Connection, way: str) -> None:
    """Makes `victim` go; returns when it is gone."""
    if way in ("del", "unlink"):
        ask(connection, way, "victim")
    elif way == "overwrite":
        ask(connection, "SET", "victim", "small")
    elif way == "flushall":
        ask(connection, "FLUSHALL")
    elif way == "expiry":
        ask(connection, "PEXPIRE", "victim", "1")
    else:
        used = int(dict(line.split(":", 1) for line in ask(connection, "INFO", "memory").decode().split("\r\n")
                        if ":" in line)["used_memory"])
        ask(connection, "CONFIG", "SET", "maxmemory-policy", "allkeys-random")
        ask(connection, "CONFIG", "SET", "maxmemory", str(used // 2))
    deadline = time.monotonic() + WAIT_SECONDS
    while way in ("expiry", "eviction") and ask(connection, "EXISTS", "victim", "source") == b"2":
        if time.monotonic() > deadline:
            sys.exit(f"{way}: the key stays")
        time.sleep(0.01)


def loop_wait_nanoseconds(pid: int) -> int:
    """How long the event loops were ready to run and had no core."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().startswith("fog-loop"):
            total += int((task / "schedstat").read_text().split()[1])
    return total


def command_microseconds(connection: Connection) -> int:
    """The slowest command that SLOWLOG has seen since its reset."""
    reply = connection.command("SLOWLOG", "GET", "-1")
    return max((int(entry.items()[2].text()) for entry in reply.items()), default=0)


def freed(server: Server) -> None:
    """Waits until the background has nothing left."""
    deadline = time.monotonic() + WAIT_SECONDS
    while info(server, "lazyfree_pending_objects") != "0":
        if time.monotonic() > deadline:
            sys.exit("garbage stays")
        time.sleep(0.05)
    time.sleep(QUIET_SECONDS)


def measure(server: Server, way: str) -> dict[str, float]:
    """One loss under a light load."""
    line = [probe_path("write_probe"), str(server.port), str(PROBE_KEYS), str(PROBE_WRITES_PER_SECOND),
            str(PROBE_VALUE_BYTES)]
    connection = server.connect()
    ask(connection, "CONFIG", "SET", "slowlog-log-slower-than", "100")
    probe = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert probe.stdin is not None and probe.stdout is not None
    try:
        time.sleep(0.2)
        ask(connection, "SLOWLOG", "RESET")
        ask(connection, "CONFIG", "RESETSTAT")
        before = loop_wait_nanoseconds(server.pid)
        probe.stdin.write("begin\n")
        probe.stdin.flush()
        started = time.monotonic()
        lose(connection, way)
        slowest = command_microseconds(connection)
        freed(server)
        longest = int(info(server, "fog_eventloop_longest_usec"))
        seconds = time.monotonic() - started - QUIET_SECONDS
        probe.stdin.close()
        found = json.loads(probe.stdout.read())
        waited = loop_wait_nanoseconds(server.pid) - before
    finally:
        probe.kill()
        probe.wait()
    if way == "eviction":
        ask(connection, "CONFIG", "SET", "maxmemory", "0")
    connection.close()
    return {"command": slowest, "round": longest, "p999": found["p999"], "max": found["max"], "waited": waited / 1000,
            "seconds": seconds}


def rounds(server: Server, kind: str, way: str, options: argparse.Namespace) -> list[dict[str, float]]:
    """All rounds of one way to lose a collection of one type."""
    figures = []
    for _ in range(options.rounds):
        connection = server.connect()
        connection.socket.settimeout(WAIT_SECONDS)
        if ask(connection, "EXISTS", "source") == b"0":
            fill(server, collection(kind, options.elements))
        if way != "flushall":
            connection.send("COPY", "source", "victim", "REPLACE")
            if connection.read_reply(WAIT_SECONDS).is_error():
                sys.exit("COPY failed")
            freed(server)
        connection.close()
        figures.append(measure(server, way))
    return figures


def main() -> int:
    ways = ("del", "unlink", "expiry", "overwrite", "eviction", "flushall")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--elements", type=int, default=3_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--types", nargs="+", choices=list(TYPES), default=list(TYPES))
    parser.add_argument("--ways", nargs="+", choices=ways, default=list(ways))
    parser.add_argument("--io-threads", default="1")
    parser.add_argument("--priority", action="store_true", help="run before other processes (root)")
    options = parser.parse_args()
    if options.priority:
        os.nice(-15)
    missed = 0
    print(f"{options.elements} elements, {options.rounds} rounds; microseconds: the command, the longest round, "
          f"the longest other request [{MICROSECONDS_MAX} each]")
    for kind in options.types:
        with Server(BINARIES["fog"](), "--io-threads", options.io_threads, name="fog") as server:
            for way in options.ways:
                found = rounds(server, kind, way, options)
                middle = {name: statistics.median(each[name] for each in found) for name in found[0]}
                is_over = max(middle["command"], middle["round"], middle["max"]) > MICROSECONDS_MAX
                missed += is_over
                print(f"{kind:<7}{way:<10} {middle['command']:>7.0f} {middle['round']:>7.0f} {middle['max']:>7.0f} "
                      f"(rounds: {' '.join(format(each['round'], '.0f') for each in found)}; "
                      f"others: {' '.join(format(each['max'], '.0f') for each in found)}, p99.9 {middle['p999']:.0f}; "
                      f"loops waited for a core {middle['waited']:.0f}; freed after {middle['seconds']:.2f} s, "
                      f"{resident_bytes(server.pid) >> 20} MB resident){'  OVER' if is_over else ''}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
