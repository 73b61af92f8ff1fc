"""Hit ratio per workload at equal memory: Fog against stock Redis and Valkey, live in one run, MIN beside them.

Every server gets `maxmemory` = what it uses empty + a tenth of the data (values and keys), and plays a cache: GET, and
on a miss SET. All servers run through the same stretch of requests in turn, so that a busy machine slows all alike.
Read the table as: percent of GETs that found their value; with a disk that should be all second touches. `--simulate`
runs the policies of eviction/simulate.py instead, without a server. Keys are asked for in pipelines; the answers of one
are read before the next is sent.
"""
from __future__ import annotations

import argparse
import socket
import sys
import time
from array import array

from eviction import simulate, workloads
from servers import BINARIES, Server

PIPELINE = 64
CAPACITY_SHARE = 0.10
SIMULATED_SHARE = 0.091
# With tiers off, and with compressed values in memory.
TARGETS = {"zipf0.8": (53.5, 63.9), "zipf1.0": (76.4, 82.1), "zipf1.2": (91.0, 93.2), "scan": (58.1, 59.1),
           "shift": (68.8, 73.2), "loop": (6.5, 16.4), "size": (76.4, 82.1), "ttl": (65.5, 67.7)}
CANDIDATES = [("fog", "allkeys-lru"), ("fog", "allkeys-lfu"), ("fog+ram", "allkeys-lru"),
              ("fog+disk", "allkeys-lru"), ("redis", "allkeys-lru"),
              ("redis", "allkeys-lfu"), ("valkey", "allkeys-lru"), ("valkey", "allkeys-lfu")]

TIERS: dict[str, tuple[str, ...]] = {
    "": (), "ram": ("--fog-compress", "yes"), "disk": ("--fog-compress", "yes", "--fog-l3-enabled", "yes")}


class Player:
    """One server and the cache it plays."""

    def __init__(self, name: str, policy: str, data_bytes: int, limit: int | None = None) -> None:
        self.label = f"{name}:{policy.split('-')[1]}"
        program, _, tiers = name.partition("+")
        options = TIERS[tiers]
        self.server = Server(BINARIES[program](), "--maxmemory-policy", policy, *options,
                             name=self.label.replace(":", "-"))
        self.socket = socket.create_connection(("127.0.0.1", self.server.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.input = self.socket.makefile("rb", 1 << 16)
        empty = self.info("memory", "used_memory")
        self.limit = limit or empty + int(data_bytes * CAPACITY_SHARE)
        self.socket.sendall(b"CONFIG SET maxmemory %d\r\n" % self.limit)
        if self.input.readline() != b"+OK\r\n":
            raise RuntimeError(f"{self.label} refused maxmemory")
        self.hits = self.requests = self.failed_sets = self.most_used = self.most_resident = 0

    def info(self, section: str, field: str) -> int:
        self.socket.sendall(b"INFO %s\r\n" % section.encode())
        length = int(self.input.readline()[1:])
        text = self.input.read(length + 2).decode()
        return int(next(line.split(":")[1] for line in text.splitlines() if line.startswith(field + ":")))

    def play(self, keys: array, values: workloads.Values, lifetimes: array | None) -> None:
        """GETs a pipeline of keys, SETs those that missed."""
        self.socket.sendall(b"".join([b"*2\r\n$3\r\nGET\r\n$8\r\n%08d\r\n" % key for key in keys]))
        missed = []
        line, read = self.input.readline, self.input.read
        for key in keys:
            header = line()
            if header == b"$-1\r\n":
                missed.append(key)
            elif header[:1] == b"$":
                if read(int(header[1:]) + 2)[:-2] != values[key]:
                    raise RuntimeError(f"{self.label} answered a wrong value for key {key}")
            else:
                raise RuntimeError(f"{self.label} answered {header!r} to GET")
        self.hits += len(keys) - len(missed)
        self.requests += len(keys)
        if not missed:
            return
        request = []
        for key in dict.fromkeys(missed):
            value = values[key]
            head = b"$3\r\nSET\r\n$8\r\n%08d\r\n$%d\r\n%s\r\n" % (key, len(value), value)
            seconds = lifetimes[key] if lifetimes else 0
            request.append(b"*5\r\n%s$2\r\nEX\r\n$1\r\n%d\r\n" % (head, seconds) if seconds else b"*3\r\n" + head)
        self.socket.sendall(b"".join(request))
        for _ in request:
            self.failed_sets += line() != b"+OK\r\n"

    def sample(self) -> None:
        self.most_used = max(self.most_used, self.info("memory", "used_memory"))
        self.most_resident = max(self.most_resident, self.info("memory", "used_memory_rss"))

    def stop(self) -> None:
        self.socket.close()
        self.server.stop()


def run(name: str, keys: int, requests: int, candidates: list[tuple[str, str]], seed: int) -> None:
    workload = workloads.make(name, keys, requests, seed)
    values = workloads.Values(workload)
    data_bytes = sum(workload.sizes[: workload.data_keys]) + 8 * workload.data_keys
    players = [Player(server, policy, data_bytes) for server, policy in candidates]
    start = time.monotonic()
    # A lifetime is a share of the run: twenty seconds of it at full length.
    rate = requests / 20 if workload.lifetime_seconds else 0
    try:
        for index, first in enumerate(range(0, requests, PIPELINE)):
            stretch = workload.requests[first:first + PIPELINE]
            for player in players:
                player.play(stretch, values, workload.lifetime_seconds)
                if index % 256 == 255:
                    player.sample()
            if rate and (ahead := first / rate - (time.monotonic() - start)) > 0:
                time.sleep(ahead)
        report(name, workload, players, data_bytes)
    finally:
        for player in players:
            player.stop()


def report(name: str, workload: workloads.Workload, players: list[Player], data_bytes: int) -> None:
    capacity = int((data_bytes + (simulate.OVERHEAD - 8) * workload.data_keys) * SIMULATED_SHARE)
    bound = simulate.minimum(workload, capacity) if name != "ttl" else float("nan")
    line = " ".join(f"{player.label} {100 * player.hits / player.requests:5.1f}" for player in players)
    print(f"{name:8} targets {TARGETS[name][0]:5.1f} {TARGETS[name][1]:5.1f}  {line}  MIN {bound:5.1f}  "
          f"second touches {100 - 100 * len(set(workload.requests)) / len(workload.requests):5.1f}", flush=True)
    for player in players:
        notes = []
        if player.failed_sets:
            notes.append(f"{player.failed_sets} failed SETs")
        if player.most_used > player.limit:
            notes.append(f"used_memory up to {player.most_used - player.limit} bytes over maxmemory")
        if player.most_resident > 1.15 * player.limit + 10e6:
            notes.append(f"RSS up to {player.most_resident / 1e6:.1f} MB at a limit of {player.limit / 1e6:.1f}")
        if notes:
            print(f"         {player.label}: {'; '.join(notes)}", flush=True)


def run_simulation(name: str, keys: int, requests: int) -> None:
    workload = workloads.make(name, keys, requests)
    capacity = int(sum(size + simulate.OVERHEAD for size in workload.sizes[: keys]) * SIMULATED_SHARE)
    line = " ".join(f"{label} {policy(workload, capacity):5.1f}" for label, policy in simulate.POLICIES.items())
    print(f"{name:8} {line}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of keys and requests")
    parser.add_argument("--simulate", action="store_true", help="policies without servers")
    parser.add_argument("--only", action="append", metavar="WORKLOAD", help=", ".join(workloads.NAMES))
    parser.add_argument("--servers", default="fog,fog+ram,fog+disk,redis,valkey",
                        help="which servers, by comma; fog+ram holds compressed values, fog+disk those on disk too")
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    scale = 10 if options.quick else 1
    wanted = options.servers.split(",")
    for name in options.only or workloads.NAMES:
        size = (workloads.KEYS // scale, workloads.REQUESTS // scale)
        if options.simulate:
            run_simulation(name, *size)
        else:
            run(name, *size, [candidate for candidate in CANDIDATES if candidate[0] in wanted], options.seed)


if __name__ == "__main__":
    sys.exit(main())
