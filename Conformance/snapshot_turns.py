"""Shows how long anybody holds Fog's turn while a snapshot is taken of a dataset with very large values in it.

Usage: snapshot_turns.py [--megabytes N] [--members N] [--rounds N] [--rewrite] [--priority]
The dataset is that of persistence_bench.py, and one value of each type with a million members, and a string of 100 MB.
While BGSAVE (`--rewrite`: BGREWRITEAOF) takes them, single keys are written at a steady rate, and the large values by
plain commands, in transactions, by scripts, renamed, given times to live. INFO's `fog_snapshot_longest_turn_usec` is
what is looked at: turns of slices and of commands, the machine's own pauses among them; so run it on a quiet machine,
or with --priority (root), and look at the median; what a turn did by itself is its time on a core. After it the file is
loaded, and every large value must be whole.
"""
from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Iterable

from benchmarks.latency import probe_path
from benchmarks.measure import fill, take_priority
from persistence_bench import VALUE_BYTES, dataset, info, string_count, wait_saved
from resp import encode
from servers import BINARIES, Server

TURN_MICROSECONDS_MAX = 2000
WRITES_PER_SECOND = 10_000
STRING_BYTES = 100_000_000
CHUNK = 500
APPEND = "return redis.call('APPEND', KEYS[1], ARGV[1])"


def large_values(members: int) -> Iterable[bytes]:
    """Commands that make the large values."""
    for start in range(0, members, CHUNK):
        numbers = range(start, start + CHUNK)
        texts = [f"member:{number:012d}" for number in numbers]
        yield encode("RPUSH", "large:list", *texts)
        yield encode("SADD", "large:set", *texts)
        yield encode("ZADD", "large:zset", *(word for number, text in zip(numbers, texts) for word in (number, text)))
        yield encode("HSET", "large:hash", *(word for text in texts for word in (text, text)))
        for number in numbers[::10]:
            yield encode("XADD", "large:stream", f"{number + 1}-1", *(word for text in texts[:5]
                                                                    for word in (text, text)))
    yield encode("SET", "large:string", b"s" * STRING_BYTES)


def writes(number: int) -> list[tuple[str, ...]]:
    """One round of writes to every large value; the last three lines are one transaction."""
    text = f"new:{number}"
    renamed = ("large:zset", "large:zset:2") if number % 2 == 0 else ("large:zset:2", "large:zset")
    return [
        ("RPUSH", "large:list", text), ("LPOP", "large:list"), ("SADD", "large:set", text),
        ("HSET", "large:hash", text, text), ("HDEL", "large:hash", text), ("XADD", "large:stream", "*", text, text),
        ("SETRANGE", "large:string", str(number), "x"), ("EVAL", APPEND, "1", "large:string", "y"),
        ("RENAME", *renamed), ("EXPIRE", "large:set", "100000"), ("PERSIST", "large:set"),
        ("MULTI",), ("ZADD", renamed[1], "1", text), ("LSET", "large:list", "0", text), ("EXEC",),
    ]


class Writer:
    """Writes to the large values until it is told to end."""

    def __init__(self, server: Server) -> None:
        self.connection = server.connect()
        if self.connection.command("EXISTS", "large:zset:2").text() == b"1":
            self.connection.command("RENAME", "large:zset:2", "large:zset")
        self.count = 0
        self.worst = 0.0
        self.error = ""
        self.is_ending = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        while not self.is_ending.is_set() and not self.error:
            for words in writes(self.count):
                started = time.monotonic()
                reply = self.connection.command(*words)
                self.worst = max(self.worst, time.monotonic() - started)
                if reply.is_error():
                    self.error = f"{' '.join(words)}: {reply.text()!r}"
            self.count += 1
            time.sleep(0.001)

    def end(self) -> None:
        self.is_ending.set()
        self.thread.join()
        self.connection.close()
        if self.error:
            sys.exit(f"a write failed: {self.error}")


def lengths(server: Server) -> dict[str, int]:
    """How much there is of every large value."""
    connection = server.connect()
    zset = next(name for name in ("large:zset", "large:zset:2") if connection.command("EXISTS", name).text() == b"1")
    asked = (("LLEN", "large:list"), ("SCARD", "large:set"), ("ZCARD", zset), ("HLEN", "large:hash"),
             ("XLEN", "large:stream"), ("STRLEN", "large:string"))
    found = {words[0]: int(connection.command(*words).text()) for words in asked}
    connection.close()
    return found


def snapshot(server: Server, megabytes: int, is_rewrite: bool) -> dict[str, float]:
    """One snapshot under load, and what INFO says about it."""
    line = [probe_path("write_probe"), str(server.port), str(string_count(megabytes)), str(WRITES_PER_SECOND),
            str(VALUE_BYTES)]
    probe = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert probe.stdin is not None and probe.stdout is not None
    writer = Writer(server)
    try:
        time.sleep(0.5)
        probe.stdin.write("begin\n")
        probe.stdin.flush()
        before, writer.worst = writer.count, 0.0
        connection = server.connect()
        started = time.monotonic()
        reply = connection.command("BGREWRITEAOF" if is_rewrite else "BGSAVE")
        if reply.is_error():
            sys.exit(f"refused: {reply.text()!r}")
        connection.close()
        if is_rewrite:
            while info(server, "aof_rewrite_in_progress") == "1":
                time.sleep(0.05)
        else:
            wait_saved(server)
        seconds = time.monotonic() - started
        probe.stdin.close()
        found = json.loads(probe.stdout.read())
    finally:
        probe.kill()
        probe.wait()
        writer.end()
    return {"turn": int(info(server, "fog_snapshot_longest_turn_usec")) / 1000,
            "work": int(info(server, "fog_snapshot_longest_turn_cpu_usec")) / 1000,
            "slice": int(info(server, "fog_snapshot_longest_slice_usec")) / 1000, "seconds": seconds,
            "worst": found["max"] / 1000, "large": writer.worst * 1000, "rounds": writer.count - before}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rewrite", action="store_true", help="BGREWRITEAOF in the place of BGSAVE")
    parser.add_argument("--priority", action="store_true", help="run before other processes (root)")
    options = parser.parse_args()
    if options.priority:
        take_priority()
    extra = ("--appendonly", "yes", "--auto-aof-rewrite-percentage", "0") if options.rewrite else ()
    server = Server(BINARIES["fog"](), *extra, name="fog")
    kept = Path(tempfile.mkdtemp(prefix="conformance-file-"))
    try:
        fill(server, dataset(options.megabytes))
        fill(server, large_values(options.members))
        print(f"{int(info(server, 'used_memory')) / 1e9:.2f} GB in memory; milliseconds:")
        found = []
        for number in range(options.rounds):
            figures = snapshot(server, options.megabytes, options.rewrite)
            found.append(figures)
            print(f"longest turn {figures['turn']:.2f} (on a core {figures['work']:.2f}), longest slice "
                  f"{figures['slice']:.2f}; worst write to a small key {figures['worst']:.2f}, to a large value "
                  f"{figures['large']:.0f} (it waits until the snapshot has it); {figures['rounds']:.0f} rounds of "
                  f"writes to all, {figures['seconds']:.1f} s", flush=True)
        before = lengths(server)
        if not options.rewrite:
            connection = server.connect()
            connection.command("BGSAVE")
            wait_saved(server)
            shutil.copy(server.folder / "dump.rdb", kept / "dump.rdb")
    finally:
        server.stop()
    is_whole = True
    if not options.rewrite:
        with Server(BINARIES["fog"](), "--dir", str(kept), name="fog") as again:
            is_whole = lengths(again) == before
    shutil.rmtree(kept)
    turn = statistics.median(figures["turn"] for figures in found) * 1000
    work = statistics.median(figures["work"] for figures in found) * 1000
    print(f"the file is {'whole' if is_whole else 'NOT what was saved'}; median of the longest turns {turn:.0f} µs "
          f"[{TURN_MICROSECONDS_MAX}], on a core {work:.0f} µs")
    return 0 if is_whole and turn <= TURN_MICROSECONDS_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
