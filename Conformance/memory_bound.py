"""Memory under its limit whatever the values become: a day's churn of shifting sizes in a minute or two.

Phases write values of one size after the other (16 B to 3 KB, then mixed; strings, small and large collections), most
without and some with a time to live, and delete, as fast as a few clients can, several times the limit in each phase.
Sizes that shift are what fragments an allocator: memory freed in one size is of no use for another one until whole
pages of it are free. Meanwhile INFO is asked all the time and the kernel for the resident memory. Fails when one
sample of used_memory is above maxmemory, when RSS passes 1.15 x maxmemory + 10 MB, or when a write is refused.
"""
from __future__ import annotations

import argparse
import random
import socket
import sys
import threading
import time
from typing import Callable, Iterator

from resp import Connection
from servers import BINARIES, Server

WRITERS = 4
PIPELINE = 128
SHARE, FIXED = 1.15, 10_000_000
BLOB = bytes(random.Random(1).randrange(32, 127) for _ in range(300_000))
Command = Callable[[random.Random, int], "tuple[list[bytes], int]"]


def text(generator: random.Random, size: int) -> bytes:
    start = generator.randrange(len(BLOB) - size)
    return BLOB[start:start + size]


def strings(low: int, high: int, name: bytes, lifetime: bool = False) -> Command:
    """SETs of `low` to `high` bytes, one in ten a DEL; with a lifetime half of them live up to two seconds."""
    def make(generator: random.Random, keys: int) -> tuple[list[bytes], int]:
        key = name + b"%d" % generator.randrange(keys)
        if generator.random() < 0.1:
            return [b"DEL", key], 0
        size = generator.randrange(low, high + 1)
        command = [b"SET", key, text(generator, size)]
        if lifetime and generator.random() < 0.5:
            command += [b"PX", b"%d" % generator.randrange(20, 2000)]
        return command, size
    return make


def mixed(generator: random.Random, keys: int) -> tuple[list[bytes], int]:
    """Every order of magnitude from 16 B to 64 KB as often as the next."""
    size = int(16 * 4000 ** generator.random())
    key = b"m:%d" % generator.randrange(keys)
    if generator.random() < 0.1:
        return [b"DEL", key], 0
    return [b"SET", key, text(generator, size)], size


def collections(generator: random.Random, keys: int) -> tuple[list[bytes], int]:
    """Hashes, lists, sets and sorted sets, most small and some of hundreds of members, and what takes from them."""
    kind = generator.randrange(4)
    key = b"c%d:%d" % (kind, generator.randrange(max(1, keys // 20)))
    if generator.random() < 0.05:
        return [b"DEL", key], 0
    count = 300 if generator.random() < 0.01 else 5
    members = [text(generator, generator.randrange(4, 60)) for _ in range(count)]
    size = sum(map(len, members))
    if kind == 0:
        return [b"HSET", key] + [part for member in members for part in (member, b"v")], size
    if kind == 1:
        return [b"RPUSH", key] + members, size
    if kind == 2:
        return [b"SADD", key] + members, size
    return [b"ZADD", key] + [part for member in members for part in (b"%d" % generator.randrange(1000), member)], size


PHASES: list[tuple[str, Command, int]] = [
    ("16 B", strings(16, 16, b"a:"), 16), ("100 B", strings(60, 140, b"b:"), 100),
    ("500 B", strings(300, 700, b"c:"), 500), ("3 KB", strings(2000, 4000, b"d:"), 3000),
    ("16 B again", strings(8, 24, b"e:"), 16), ("mixed", mixed, 8000), ("lifetimes", strings(50, 900, b"f:", True), 475),
    ("collections", collections, 500), ("20 KB", strings(10_000, 30_000, b"g:"), 20_000),
    ("100 B again", strings(60, 140, b"b:"), 100), ("1 KB", strings(900, 1600, b"h:"), 1250)]


class Writer:
    """One client: pipelines of a phase's commands until its share of bytes is written."""

    def __init__(self, server: Server, number: int) -> None:
        self.generator = random.Random(number)
        self.socket = socket.create_connection(("127.0.0.1", server.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.input = self.socket.makefile("rb", 1 << 16)
        self.refused: list[bytes] = []
        self.commands = 0

    def play(self, command: Command, keys: int, byte_count: int, until: float) -> None:
        while byte_count > 0 and time.monotonic() < until:
            request = []
            for _ in range(PIPELINE):
                words, size = command(self.generator, keys)
                request.append(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in words))
                byte_count -= size + 60
            self.socket.sendall(b"".join(request))
            for _ in range(PIPELINE):
                line = self.input.readline()
                if line[:1] == b"-":
                    self.refused.append(line)
            self.commands += PIPELINE


def resident(pid: int) -> int:
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


class Sampler:
    """Asks INFO memory as often as it is answered, and the kernel each time."""

    def __init__(self, server: Server, limit: int) -> None:
        self.server, self.limit = server, limit
        self.connection = Connection(server.port, timeout_seconds=60)
        self.samples = self.over = self.most_used = 0
        self.most_resident = self.phase_resident = 0
        self.last: dict[str, str] = {}

    def sample(self) -> None:
        text = self.connection.command("INFO", "memory").text().decode()
        self.last = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        used, now = int(self.last["used_memory"]), resident(self.server.pid)
        self.samples += 1
        self.over += used > self.limit
        self.most_used = max(self.most_used, used)
        self.most_resident = max(self.most_resident, now)
        self.phase_resident = max(self.phase_resident, now)

    def until(self, threads: list[threading.Thread]) -> None:
        while any(thread.is_alive() for thread in threads):
            self.sample()
            time.sleep(0.005)


def stat(server: Server, section: str, name: str) -> str:
    connection = Connection(server.port)
    lines = connection.command("INFO", section).text().decode().splitlines()
    connection.close()
    return next((line.split(":", 1)[1] for line in lines if line.startswith(name + ":")), "-")


def churn(name: str, megabytes: int, rounds: float, seconds: float, only: list[str],
          options: tuple[str, ...]) -> Iterator[str]:
    """One server under a limit; yields what is wrong."""
    limit = megabytes * 1_000_000
    bound = int(SHARE * limit) + FIXED
    with Server(BINARIES[name](), "--maxmemory", str(limit), "--maxmemory-policy", "allkeys-lru", *options) as server:
        sampler = Sampler(server, limit)
        writers = [Writer(server, number) for number in range(WRITERS)]
        print(f"{name}: maxmemory {limit / 1e6:.0f} MB, RSS at most {bound / 1e6:.1f} MB; "
              f"empty {resident(server.pid) / 1e6:.1f} MB", flush=True)
        for label, command, mean in PHASES:
            if only and label not in only:
                continue
            keys = max(100, 3 * limit // (mean + 60))
            until = time.monotonic() + seconds
            start, before = time.monotonic(), sum(writer.commands for writer in writers)
            sampler.phase_resident = 0
            threads = [threading.Thread(target=writer.play, args=(command, keys, rounds * limit / WRITERS, until))
                       for writer in writers]
            for thread in threads:
                thread.start()
            sampler.until(threads)
            used = time.monotonic() - start
            last = sampler.last
            rate = (sum(writer.commands for writer in writers) - before) / used / 1000
            print(f"  {label:12} {used:5.1f} s {rate:6.0f}k/s  used {int(last['used_memory']) / 1e6:6.1f} MB  "
                  f"RSS at most {sampler.phase_resident / 1e6:6.1f}, now {resident(server.pid) / 1e6:6.1f} MB  "
                  f"active {int(last['allocator_active']) / 1e6:6.1f} resident "
                  f"{int(last['allocator_resident']) / 1e6:6.1f}", flush=True)
        refused = [line for writer in writers for line in writer.refused]
        print(f"  {sampler.samples} samples, {sampler.over} above maxmemory (most {sampler.most_used - limit:+}); RSS at "
              f"most {sampler.most_resident / 1e6:.1f} of {bound / 1e6:.1f} MB; evicted "
              f"{stat(server, 'stats', 'evicted_keys')}; moved {stat(server, 'stats', 'active_defrag_hits')}; "
              f"{len(refused)} refused {refused[:1]}", flush=True)
        if sampler.over:
            yield f"{name} {megabytes} MB: {sampler.over} samples above maxmemory"
        if sampler.most_resident > bound:
            yield f"{name} {megabytes} MB: RSS {sampler.most_resident} above {bound}"
        if refused:
            yield f"{name} {megabytes} MB: {len(refused)} writes refused: {refused[0]!r}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", default="100,10", help="limits, by comma")
    parser.add_argument("--rounds", type=float, default=3, help="how often a phase fills the limit")
    parser.add_argument("--seconds", type=float, default=8, help="a phase takes no longer")
    parser.add_argument("--only", action="append", default=[], help="phases: " + ", ".join(name for name, _, _ in PHASES))
    parser.add_argument("--servers", default="fog", help="which servers, by comma; the stock ones only to compare")
    parser.add_argument("--options", default="", help="further options of the servers, by space")
    arguments = parser.parse_args()
    wrong = []
    for name in arguments.servers.split(","):
        for megabytes in map(int, arguments.megabytes.split(",")):
            wrong += churn(name, megabytes, arguments.rounds, arguments.seconds, arguments.only,
                           tuple(arguments.options.split()))
    for line in wrong:
        print("WRONG", line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
