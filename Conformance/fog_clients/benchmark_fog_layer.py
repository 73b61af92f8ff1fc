"""The nine lines of seed 000's benchmark, with its names and targets, measured against this server.

    FOG_SERVER=path python fog_clients/benchmark_fog_layer.py

Every line is measured from outside by one redis-py connection; ends with 1 when a target is missed.
"""
from __future__ import annotations

import random
import statistics
import sys
import time
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent)]

import redis  # noqa: E402
from servers import Server, fog_binary  # noqa: E402
from support import Client, has  # noqa: E402

NODE_COUNT = 5000
BATCH_COUNT = 100


def register(client: Client, count: int, offset: int = 0) -> float:
    """Registers nodes in one pipeline; seconds."""
    pipeline = client.pipeline(transaction=False)
    for index in range(offset, offset + count):
        pipeline.execute_command("FOG.NODE", "REGISTER", f"n{index}", "TYPE", "edge", "REGION",
                                 f"region-{index % 20}", "STATUS", "active", "CPU", index % 100)
    began = time.perf_counter()
    pipeline.execute()
    return time.perf_counter() - began


def hit_rate(client: Client) -> float:
    """A Zipf trace over five times the 5000 nodes that the seed's cache holds, cache-aside; per cent.

    The best that any policy can do is 85 %; over ten times as many keys it is 80 %, and no real one gets there.
    """
    client.config_set("maxmemory-policy", "allkeys-lfu")
    value = "x" * 1000
    keys = 25_000
    weights = [1 / rank ** 0.99 for rank in range(1, keys + 1)]
    base = int(client.info("memory")["used_memory"])
    client.config_set("maxmemory", base + keys // 5 * 1150)
    hits = 0
    trace = random.Random(7).choices(range(keys), weights, k=60_000)
    for start in range(0, len(trace), 50):
        part = trace[start:start + 50]
        found = client.mget([f"z{key}" for key in part])
        missing = {f"z{key}": value for key, item in zip(part, found) if item is None}
        if start >= len(trace) // 2:
            hits += sum(item is not None for item in found)
        if missing:
            client.mset(missing)
    client.config_set("maxmemory", 0)
    return 200 * hits / len(trace)


def query_latency(client: Client) -> float:
    """95th percentile of an indexed query over all nodes; milliseconds."""
    times = []
    for index in range(200):
        began = time.perf_counter()
        client.execute_command("FOG.NODE", "LIST", "STATUS", "active", "REGION", f"region-{index % 20}",
                               "LIMIT", 0, 100)
        times.append((time.perf_counter() - began) * 1000)
    return statistics.quantiles(times, n=20)[-1]


def batch_set(client: Client) -> float:
    """MREGISTER of a hundred nodes; milliseconds."""
    words: list[str | int] = [BATCH_COUNT]
    for index in range(BATCH_COUNT):
        words += [f"batch-{index}", 2, "type", "edge", "region", "batch"]
    began = time.perf_counter()
    client.execute_command("FOG.NODE", "MREGISTER", *words)
    return (time.perf_counter() - began) * 1000


def batch_get(client: Client) -> float:
    names = [f"batch-{index}" for index in range(BATCH_COUNT)]
    began = time.perf_counter()
    found = client.execute_command("FOG.NODE", "MGET", *names)
    assert len(found) == BATCH_COUNT and all(found)
    return (time.perf_counter() - began) * 1000


def select(client: Client, count: int, *options: str) -> list[str]:
    pipeline = client.pipeline(transaction=False)
    for _ in range(count):
        pipeline.execute_command("FOG.LB", "SELECT", *options)
    return pipeline.execute()


def distribution(client: Client) -> float:
    """Coefficient of variation of least connections over ten nodes; per cent."""
    for index in range(10):
        client.execute_command("FOG.NODE", "REGISTER", f"even-{index}", "REGION", "even")
    counts = Counter(select(client, 1000, "ALGO", "least_connections", "REGION", "even", "BEGIN"))
    shares = [counts[f"even-{index}"] for index in range(10)]
    return 100 * statistics.pstdev(shares) / statistics.mean(shares)


def breaker_overhead(client: Client) -> float:
    """Choosing and ending with the breaker on, against off; per cent more time, the best of five runs of each."""
    def rounds() -> float:
        pipeline = client.pipeline(transaction=False)
        for index in range(2000):
            pipeline.execute_command("FOG.LB", "SELECT", "ALGO", "round_robin", "REGION", "even", "BEGIN")
            pipeline.execute_command("FOG.LB", "END", f"even-{index % 10}", "OK", "RT", 5)
        began = time.perf_counter()
        pipeline.execute()
        return time.perf_counter() - began

    best = {}
    for _ in range(5):
        for switch in ["yes", "no"]:
            client.config_set("fog-circuit-breaker", switch)
            best[switch] = min(best.get(switch, 1e9), rounds())
    client.config_set("fog-circuit-breaker", "yes")
    return max(0.0, 100 * (best["yes"] / best["no"] - 1))


def weighted_time(client: Client) -> float:
    """A thousand weighted choices among a thousand nodes; milliseconds."""
    for index in range(1000):
        client.execute_command("FOG.NODE", "REGISTER", f"w{index}", "REGION", "weighted", "CPU", index % 100)
    began = time.perf_counter()
    select(client, 1000, "ALGO", "weighted_round_robin", "REGION", "weighted")
    return (time.perf_counter() - began) * 1000


def weighted_share(client: Client) -> float:
    """Share of the least loaded of ten nodes, CPU 10 to 90; per cent."""
    for index in range(10):
        client.execute_command("FOG.NODE", "REGISTER", f"node-{index}", "REGION", "accuracy",
                               "CPU", 10 + 80 * index / 9)
    chosen = select(client, 1000, "ALGO", "weighted_round_robin", "REGION", "accuracy")
    return 100 * chosen.count("node-0") / len(chosen)


def line(name: str, value: float, unit: str, target: float, is_minimum: bool) -> bool:
    passed = value >= target if is_minimum else value <= target
    mark = "✅ PASS" if passed else "❌ FAIL"
    print(f"{mark} | {name:<50} | {value:>10.2f} {unit:<10} (target: {target:.2f} {unit})", flush=True)
    return passed


def main() -> int:
    with Server(fog_binary(), "--io-threads", "2") as server:
        client = redis.Redis(port=server.port, decode_responses=True)
        if not has(client, "FOG.LB"):
            print("this server has no FOG.LB: nothing to measure")
            return 1
        print("=" * 80 + "\nFOG LAYER PERFORMANCE BENCHMARKS\n" + "=" * 80)
        print(f"Timestamp: {datetime.now(timezone.utc).isoformat()}\n")
        results = [line("Cache Hit Rate", hit_rate(client), "%", 80, True)]
        client.flushall()
        seconds = register(client, NODE_COUNT)
        results += [
            line("Query Latency (p95)", query_latency(client), "ms", 50, False),
            line("Node Registration Throughput", NODE_COUNT / seconds, "nodes/sec", 1000, True),
            line("Batch Set 100 Nodes", batch_set(client), "ms", 500, False),
            line("Batch Get 100 Nodes", batch_get(client), "ms", 500, False),
            line("Load Balancer Distribution (CV)", distribution(client), "%", 50, False),
            line("Circuit Breaker Overhead", breaker_overhead(client), "%", 20, False),
            line("Weighted RR Performance", weighted_time(client), "ms", 1000, False),
            line("Weighted RR Accuracy (node-0 traffic)", weighted_share(client), "%", 15, True),
        ]
        print("\n" + "=" * 80)
        print(f"Summary: {sum(results)} passed, {len(results) - sum(results)} failed\n" + "=" * 80)
        return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
