"""What tiers are worth: a data set of four times the memory, read with a Zipf distribution, Fog with its tiers off, in
RAM and on disk against stock Redis and Valkey, live in one run. The row of the tiering targets:

    load    every key is written once
    read    GETs alone: who has the value is asked for it, nobody writes one again
    aside   GET, and on a miss SET, as an application beside a data base does

Answers are compared with the values that were written: a wrong one ends the run. The same seed asks for the same keys.
Requests go out in pipelines of 64 over 16 connections, all servers through the same stretch in turn; latencies are
those of single GETs that found their value, one at a time. Figures of a busy machine's clock are worth little beside
each other's; hit ratios and bytes are exact.
"""
from __future__ import annotations

import argparse
import itertools
import random
import socket
import sys
import time
from bisect import bisect_left

from servers import BINARIES, Server

PIPELINE = 64
CONNECTIONS = 16
VALUE_BYTES = 550
RATIO = 4
SKEW = 0.9
WORDS = ("active pending amber basket carbon delta ember falcon garnet harbor indigo jasper kernel lagoon marble "
         "nickel onyx pepper quartz ribbon saffron timber umber velvet walnut yellow zephyr anchor beacon").split()
RAM = ("--fog-compress", "yes")
DISK = RAM + ("--fog-l3-enabled", "yes", "--fog-l3-max-bytes", "4gb")
CANDIDATES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "redis:lru": ("redis", "allkeys-lru", ()), "redis:lfu": ("redis", "allkeys-lfu", ()),
    "valkey:lru": ("valkey", "allkeys-lru", ()), "valkey:lfu": ("valkey", "allkeys-lfu", ()),
    "fog:off": ("fog", "allkeys-lru", ()), "fog:ram": ("fog", "allkeys-lru", RAM),
    "fog:lz4": ("fog", "allkeys-lru", RAM + ("--fog-compress-codec", "lz4")),
    "fog:disk": ("fog", "allkeys-lru", DISK)}
USUAL = "redis:lru,redis:lfu,valkey:lru,valkey:lfu,fog:off,fog:lz4,fog:ram,fog:disk"


def make_value(key: int) -> bytes:
    """A JSON document of 400 to 700 bytes, always the same for a key."""
    mixed = (key * 0x9E3779B97F4A7C15 + 0x7F4A7C15) & 0xFFFFFFFFFFFFFFFF
    picks = []
    for _ in range(20 + mixed % 32):
        mixed = (mixed * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        picks.append(WORDS[(mixed >> 33) % len(WORDS)])
    return (f'{{"id":{key},"uuid":"{mixed:016x}","name":"{picks[0]} {picks[1]}","email":"{picks[2]}.{key % 9973}'
            f'@example.com","status":"{picks[3]}","created_at":"2026-{1 + mixed % 12:02}-{1 + (mixed >> 7) % 28:02}'
            f'T{(mixed >> 13) % 24:02}:00:00Z","score":{(mixed >> 17) % 10000},"tags":["{picks[4]}","{picks[5]}"],'
            f'"address":{{"street":"{picks[6]} road","city":"{picks[7]}","country":"FR"}},"active":true,'
            f'"note":"{" ".join(picks[8:])}"}}').encode()


class Zipf:
    """Keys 0 to count-1, the popular ones anywhere among them."""

    def __init__(self, count: int, skew: float, seed: int) -> None:
        self.count = count
        self.random = random.Random(seed)
        self.sums = list(itertools.accumulate((rank + 1) ** -skew for rank in range(count)))
        self.places = list(range(count))
        self.random.shuffle(self.places)

    def take(self, number: int) -> list[int]:
        pick, sums, places, total = self.random.random, self.sums, self.places, self.sums[-1]
        return [places[min(self.count - 1, bisect_left(sums, pick() * total))] for _ in range(number)]


class Player:
    """One server, its connections and what it answered."""

    def __init__(self, label: str, limit: int) -> None:
        name, policy, options = CANDIDATES[label]
        self.label = label
        self.server = Server(BINARIES[name](), "--maxmemory", str(limit), "--maxmemory-policy", policy, *options,
                             name=label.replace(":", "-"))
        self.sockets = []
        for _ in range(CONNECTIONS):
            connection = socket.create_connection(("127.0.0.1", self.server.port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sockets.append((connection, connection.makefile("rb", 1 << 16)))
        self.turn = 0
        self.hits = self.requests = self.refused = self.most_resident = self.most_used = 0
        self.seconds = 0.0
        self.latencies: list[int] = []
        self.tier_hits = [0, 0, 0, 0]

    def next(self):
        self.turn = (self.turn + 1) % CONNECTIONS
        return self.sockets[self.turn]

    def fields(self, section: str) -> dict[str, str]:
        connection, stream = self.sockets[0]
        connection.sendall(b"INFO %s\r\n" % section.encode())
        text = stream.read(int(stream.readline()[1:]) + 2).decode()
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def write(self, keys: list[int]) -> None:
        connection, stream = self.next()
        request = []
        for key in keys:
            value = make_value(key)
            request.append(b"*3\r\n$3\r\nSET\r\n$12\r\nitem:%07d\r\n$%d\r\n%s\r\n" % (key, len(value), value))
        start = time.perf_counter()
        connection.sendall(b"".join(request))
        self.refused += sum(stream.readline() != b"+OK\r\n" for _ in keys)
        self.seconds += time.perf_counter() - start

    def read(self, keys: list[int], aside: bool) -> None:
        connection, stream = self.next()
        start = time.perf_counter()
        connection.sendall(b"".join([b"*2\r\n$3\r\nGET\r\n$12\r\nitem:%07d\r\n" % key for key in keys]))
        answers = []
        for _ in keys:
            header = stream.readline()
            if header[:1] != b"$":
                raise RuntimeError(f"{self.label} answered {header!r} to GET")
            answers.append(None if header == b"$-1\r\n" else stream.read(int(header[1:]) + 2)[:-2])
        self.seconds += time.perf_counter() - start
        missed = []
        for key, answer in zip(keys, answers):
            if answer is None:
                missed.append(key)
            elif answer != make_value(key):
                raise RuntimeError(f"{self.label} answered a wrong value for key {key}")
        self.requests += len(keys)
        self.hits += len(keys) - len(missed)
        if aside and missed:
            self.write(list(dict.fromkeys(missed)))

    def time_hits(self, keys: list[int]) -> None:
        """Single GETs, one at a time."""
        for key in keys:
            connection, stream = self.next()
            start = time.perf_counter_ns()
            connection.sendall(b"*2\r\n$3\r\nGET\r\n$12\r\nitem:%07d\r\n" % key)
            header = stream.readline()
            if header != b"$-1\r\n":
                stream.read(int(header[1:]) + 2)
                self.latencies.append(time.perf_counter_ns() - start)

    def sample(self) -> None:
        memory = self.fields("memory")
        self.most_used = max(self.most_used, int(memory["used_memory"]))
        self.most_resident = max(self.most_resident, int(memory["used_memory_rss"]))

    def ratio(self) -> float:
        """Percent of the GETs since the last call that found their value."""
        ratio = 100 * self.hits / max(1, self.requests)
        self.hits = self.requests = 0
        return ratio

    def share_from_memory(self) -> float:
        """Percent of the values since the last call that were not read from disk; Fog's alone."""
        if not self.label.startswith("fog:"):
            return 100.0
        tiers = self.fields("tiering")
        now = [int(tiers.get(f"tier_{tier}_hits", 0)) for tier in ("raw", "warm", "dense", "cold")]
        hits = [new - old for new, old in zip(now, self.tier_hits)]
        self.tier_hits = now
        return 100 * sum(hits[:3]) / max(1, sum(hits))

    def stop(self) -> None:
        for connection, _ in self.sockets:
            connection.close()
        self.server.stop()


def stretches(keys: list[int]):
    for first in range(0, len(keys), PIPELINE):
        yield keys[first:first + PIPELINE]


def run(labels: list[str], limit: int, requests: int, seed: int) -> None:
    count = limit * RATIO // (VALUE_BYTES + 12)
    print(f"{limit / 1e6:.0f} MB, {count} keys of about {VALUE_BYTES} bytes, zipf {SKEW}, {requests} GETs a phase, seed "
          f"{seed}", flush=True)
    zipf = Zipf(count, SKEW, seed)
    order = list(range(count))
    random.Random(seed + 1).shuffle(order)
    players = [Player(label, limit) for label in labels]
    rows: dict[str, dict[str, float]] = {player.label: {} for player in players}
    try:
        for index, stretch in enumerate(stretches(order)):
            for player in players:
                player.write(stretch)
                if index % 128 == 0:
                    player.sample()
        for phase in ("read", "warm-up", "aside"):
            for player in players:
                player.seconds = 0.0
            for index, stretch in enumerate(stretches(zipf.take(requests))):
                for player in players:
                    player.read(stretch, phase != "read")
                    if index % 128 == 0:
                        player.sample()
            for player in players:
                rows[player.label][phase] = player.ratio()
                rows[player.label][phase + " seconds"] = player.seconds
                rows[player.label][phase + " from memory"] = player.share_from_memory()
        for _ in range(20):
            keys = zipf.take(200)
            for player in players:
                player.time_hits(keys)
        for player in players:
            report(player, rows[player.label], limit, requests)
    finally:
        for player in players:
            player.stop()


def report(player: Player, row: dict[str, float], limit: int, requests: int) -> None:
    times = sorted(player.latencies) or [0]
    notes = []
    if player.refused:
        notes.append(f"{player.refused} refused SETs")
    if player.most_used > limit:
        notes.append(f"used_memory up to {player.most_used - limit} bytes over")
    line = (f"{player.label:10} read {row['read']:5.1f} %  aside {row['aside']:5.1f} %  "
            f"{requests / row['aside seconds'] / 1000:5.1f}k GET/s  p50 {times[len(times) // 2] / 1000:5.0f} us  "
            f"p99 {times[len(times) * 99 // 100] / 1000:5.0f} us  RSS at most {player.most_resident / 1e6:5.1f} MB")
    if player.label in ("fog:lz4", "fog:ram", "fog:disk"):
        tiers = player.fields("tiering")
        keys = [int(tiers.get(f"tier_{tier}_keys", 0)) for tier in ("raw", "warm", "dense", "cold")]
        notes.append(f"keys raw/warm/dense/cold {'/'.join(map(str, keys))}")
        notes.append("hits from memory " + ", ".join(f"{phase} {row[phase + ' from memory']:.1f} %"
                                                     for phase in ("read", "warm-up", "aside")))
        notes.append(f"ratio warm {tiers['tier_warm_ratio']} dense {tiers['tier_dense_ratio']}")
        notes.append(f"skipped for time {tiers['tier_skipped_for_time']}")
        if int(tiers.get("tier_disk_bytes", 0)):
            disk, live = int(tiers["tier_disk_bytes"]), int(tiers["tier_disk_live_bytes"])
            whole = int(tiers["tier_cold_whole_bytes"])
            notes.append(f"disk {disk / 1e6:.1f} MB, {disk / max(1, live):.2f} x its living records, which are "
                         f"{live / max(1, whole):.2f} of what is cold")
    print(line + "".join(f"\n           {note}" for note in notes), flush=True)


def bytes_per_key(count: int) -> None:
    """What a value of some 550 bytes takes: as it came, and asleep."""
    CANDIDATES["fog:alone"] = ("fog", "noeviction", RAM)
    player = Player("fog:alone", 0)
    try:
        empty = player.fields("memory")
        for stretch in stretches(list(range(count))):
            player.write(stretch)
        raw = player.fields("memory")
        connection, stream = player.sockets[0]
        connection.sendall(b"CONFIG SET fog-l1-enabled no fog-l1-cleanup 1\r\n")
        stream.readline()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            tiers = player.fields("tiering")
            # What nobody reads is made smaller still.
            if int(tiers["tier_raw_keys"]) == 0 and int(tiers["tier_warm_keys"]) <= count // 100:
                break
            time.sleep(0.2)
        connection.sendall(b"MEMORY PURGE\r\n")
        stream.readline()
        asleep = player.fields("memory")
        names = ("used_memory", "used_memory_rss")
        for text, now in (("raw", raw), ("asleep", asleep)):
            used, resident = ((int(now[name]) - int(empty[name])) / count for name in names)
            print(f"{count} keys {text:7} {used:5.0f} bytes a key of used_memory, {resident:5.0f} of RSS")
        print(f"           {tiers['tier_warm_keys']} warm, {tiers['tier_dense_keys']} dense, "
              f"{tiers['tier_raw_keys']} raw")
    finally:
        player.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=100, help="maxmemory (default 100)")
    parser.add_argument("--requests", type=int, default=1_000_000, help="GETs of a phase")
    parser.add_argument("--quick", action="store_true", help="20 MB and 150,000 GETs a phase")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--only", default=USUAL, help="candidates by comma: " + ", ".join(CANDIDATES))
    parser.add_argument("--no-sizes", action="store_true", help="without the bytes per key")
    options = parser.parse_args()
    megabytes, requests = (20, 150_000) if options.quick else (options.megabytes, options.requests)
    if not options.no_sizes:
        bytes_per_key(50_000 if options.quick else 200_000)
    run(options.only.split(","), megabytes * 1_000_000, requests, options.seed)


if __name__ == "__main__":
    sys.exit(main())
