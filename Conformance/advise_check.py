#!/usr/bin/env python3
"""What FOG.ADVISE EVICTION predicts, against what servers with that policy and that memory really find.

One server is advised while it plays a cache (GET, and on a miss SET) with a part of the data's memory; then one server
after another plays the same requests with each policy and memory that was predicted. The table has predicted and
measured hit rates and the error in percentage points. `--cost`: what a GET costs in processor time with the advisor on
and off. The memory that the advisor itself takes is given to the advised server on top, in all its predictions.
"""
from __future__ import annotations

import argparse
import statistics
import sys
import time

from benchmarks import measure
from eviction import workloads
from eviction_bench import PIPELINE, Player

WORKLOADS = ["zipf0.8", "zipf1.0", "zipf1.2", "scan", "shift", "loop", "size", "ttl"]
POLICIES = ["allkeys-lru", "allkeys-lfu", "allkeys-random", "allkeys-lrm"]
FACTORS = {"0.5x": 0.5, "1x": 1.0, "2x": 2.0, "4x": 4.0}
MEAN_ERROR_MAX = 1.0
COST_RATIO_MAX = 1.15


def play(player: Player, workload: workloads.Workload, values: workloads.Values) -> float:
    """The whole stream; its hit rate in per cent."""
    requests = workload.requests
    rate = len(requests) / 20 if workload.lifetime_seconds else 0
    start = time.monotonic()
    for first in range(0, len(requests), PIPELINE):
        player.play(requests[first:first + PIPELINE], values, workload.lifetime_seconds)
        if rate and (ahead := first / rate - (time.monotonic() - start)) > 0:
            time.sleep(ahead)
    return 100 * player.hits / player.requests


def pairs(flat: tuple) -> dict:
    return {flat[index].text().decode(): flat[index + 1] for index in range(0, len(flat), 2)}


def advice(player: Player) -> dict:
    connection = player.server.connect()
    reply = connection.command("FOG.ADVISE", "EVICTION")
    connection.close()
    if reply.is_error():
        raise SystemExit(reply.text().decode())
    return pairs(reply.value)


def number(reply) -> float:
    return float(reply.text())


def check(name: str, options: argparse.Namespace) -> list[float]:
    """Plays one workload everywhere; the errors."""
    workload = workloads.make(name, options.keys, options.requests)
    values = workloads.Values(workload)
    data_bytes = sum(workload.sizes[: workload.data_keys]) + 8 * workload.data_keys
    present = Player("fog", options.policy, data_bytes)
    connection = present.server.connect()
    before = present.info("memory", "used_memory")
    connection.command("FOG.ADVISE", "START", "KEYS", str(options.sample))
    own = present.info("memory", "used_memory") - before
    limit = before + int(data_bytes * options.share) + own
    connection.command("CONFIG", "SET", "maxmemory", str(limit))
    connection.close()
    measured = play(present, workload, values)
    figures = advice(present)
    print(f"{name}: {options.policy} at {limit / 1e6:.1f} MB of {data_bytes / 1e6:.1f} MB: measured {measured:.1f}, "
          f"by its own count {number(figures['hit_rate']):.1f}; {number(figures['sampled_keys']):.0f} keys, one in "
          f"{number(figures['one_key_in']):.0f}, {number(figures['bytes']) / 1e6:.2f} MB "
          f"({own / 1e6:.2f} by used_memory)\n    {figures['advice'].text().decode()}", flush=True)
    present.stop()
    predicted = {policy: pairs(item.value) for policy, item in pairs(figures["predicted"].value).items()}
    errors = []
    for policy in options.policies.split(","):
        line = []
        for label, factor in FACTORS.items():
            player = Player("fog", policy, data_bytes, limit=int(factor * limit) - own)
            found = play(player, workload, values)
            player.stop()
            told = number(predicted[policy][label])
            errors.append(told - found)
            line.append(f"{label} {told:5.1f} / {found:5.1f} ({told - found:+4.1f})")
        print(f"    {policy:15} {'  '.join(line)}", flush=True)
    for policy in ("lru", "lfu"):
        told = "  ".join(f"{label} {number(predicted[policy][label]):5.1f}" for label in FACTORS)
        print(f"    {policy:15} {told}", flush=True)
    return errors


def cost(rounds: int) -> float:
    """Processor time of a GET with the advisor on, as a ratio of that without."""
    used: dict[str, list[float]] = {"on": [], "off": []}
    with measure.start("fog", "--maxmemory", "400mb", "--maxmemory-policy", "allkeys-lru") as server:
        connection = server.connect()
        measure.load(server, ("set", "key:__rand_int__", "v" * 300), 64, 600_000, 200_000)
        for _ in range(rounds):
            for state in ("off", "on"):
                if state == "on":
                    connection.command("FOG.ADVISE", "START")
                    time.sleep(1)
                used[state].append(measure.load(server, ("get", "key:__rand_int__"), 16, 400_000, 200_000))
                if state == "on":
                    reply = pairs(connection.command("FOG.ADVISE", "EVICTION").value)
                    connection.command("FOG.ADVISE", "STOP")
        connection.close()
    ratios = [on / off for on, off in zip(used["on"], used["off"])]
    print(f"a GET at pipeline 16: {statistics.median(used['off']):.3f} us without, {statistics.median(used['on']):.3f} "
          f"us with the advisor (one key in {number(reply['one_key_in']):.0f}); ratio {statistics.median(ratios):.3f}")
    return statistics.median(ratios)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", metavar="WORKLOAD", help=", ".join(WORKLOADS))
    parser.add_argument("--policy", default="allkeys-lru", help="of the advised server")
    parser.add_argument("--policies", default=",".join(POLICIES), help="those that are checked")
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=600_000)
    parser.add_argument("--share", type=float, default=0.2, help="memory beyond that of an empty server, of the data")
    parser.add_argument("--sample", type=int, default=8192, help="keys of the sample")
    parser.add_argument("--cost", action="store_true", help="only what it costs")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if options.cost:
        return 1 if cost(options.rounds) > COST_RATIO_MAX else 0
    errors = [error for name in options.only or WORKLOADS for error in check(name, options)]
    mean = statistics.mean(abs(error) for error in errors)
    print(f"{len(errors)} predictions: off by {mean:.2f} points on average, at most "
          f"{max(map(abs, errors)):.1f}, bias {statistics.mean(errors):+.2f}")
    return 1 if mean > MEAN_ERROR_MAX else 0


if __name__ == "__main__":
    sys.exit(main())
