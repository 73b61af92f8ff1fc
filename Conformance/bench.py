"""Measures Fog beside Valkey 9.1 and Redis 7.0 and says whether the stated targets are met.

Usage: bench.py [ROW ...] [--suite base|types|messages|all] [--pipeline N ...] [--rounds N] [--quick] [--json FILE]
                [--memory] [--latency] [--scaling] [--only-load] [--io-threads N]
Servers are pinned to one core and redis-benchmark to the other; rounds are interleaved and medians compared.
Times are the server's processor microseconds per request. Compare ratios of one run, never times of two.
"""
from __future__ import annotations

import argparse
import json
import statistics
import sys
from typing import Any

from benchmarks.latency import cold_start_milliseconds, idle_connection_bytes, insert_latency
from benchmarks.measure import has_command, load, start
from benchmarks.memory import MemoryRow, bytes_each, string_rows, type_rows
from benchmarks.rows import FILLINGS, KEY_COUNT, SUITES, Row
from benchmarks.scaling import CORES_MIN, halves, thread_counts, throughput
from servers import Server

NAMES = ("fog", "valkey", "redis")
REQUESTS = {1: 200_000, 16: 1_600_000, 64: 3_200_000}
IDLE_BYTES_MAX = 4096
COLD_START_MILLISECONDS_MAX = 50.0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Benchmark Fog beside Valkey and Redis.")
    parser.add_argument("rows", nargs="*", help="rows to run, by name, as: get set")
    parser.add_argument("--suite", choices=(*SUITES, "all"), default="base")
    parser.add_argument("--pipeline", type=int, nargs="+", help="only these pipeline depths")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a fifth of the requests and one round")
    parser.add_argument("--memory", action="store_true", help="also (or, with no rows, only) memory per key")
    parser.add_argument("--latency", action="store_true", help="also (or only) latency, idle connections, cold start")
    parser.add_argument("--scaling", action="store_true", help="also (or only) throughput with several I/O threads")
    parser.add_argument("--only-load", action="store_true", help="leave memory and latency out")
    parser.add_argument("--io-threads", type=int, default=1, help="I/O threads of Fog")
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    options = parser.parse_args()
    if options.quick:
        options.rounds = 1
    return options


def chosen_rows(options: argparse.Namespace) -> list[Row]:
    """The rows asked for; all of the suite when none is named."""
    suites = SUITES.values() if options.suite == "all" or options.rows else [SUITES[options.suite]]
    rows = [row for suite in suites for row in suite]
    if options.rows:
        wanted = [name.lower() for name in options.rows]
        rows = [row for row in rows if row.name.lower() in wanted or row.command[0].lower() in wanted]
        if not rows:
            sys.exit(f"no row is called {', '.join(options.rows)}")
    return rows


class Results:
    """Collects figures, prints their lines and counts what is over its target."""

    def __init__(self) -> None:
        self.figures: list[dict[str, Any]] = []
        self.over = 0

    def heading(self, title: str, unit: str) -> None:
        names = "".join(f"{name:>10}" for name in NAMES)
        print(f"\n{title}\n{'':<34}{names}  {'fog/valkey':>10} {'fog/redis':>10}  ({unit})")

    def line(self, name: str, values: dict[str, float | None], ratio_max: float | None = None,
             fog_max: float | None = None) -> None:
        """One line of a table, with its verdict where a target is stated."""
        fog, valkey, redis = (values.get(server) for server in NAMES)
        verdict, ratio, second = "", None, None
        if fog is not None and valkey:
            ratio = fog / valkey
        if fog is not None and redis:
            second = fog / redis
        if ratio_max is not None and ratio is not None:
            verdict = f"{'ok' if ratio <= ratio_max else 'OVER'} (at most {ratio_max:.2f} x valkey)"
        if fog_max is not None and fog is not None:
            verdict = f"{'ok' if fog <= fog_max else 'OVER'} (at most {fog_max:g})"
        if fog is None:
            verdict = "not there"
        self.over += "OVER" in verdict
        cells = "".join(f"{'-' if value is None else format(value, '.3f' if value < 100 else '.1f'):>10}"
                        for value in (fog, valkey, redis))
        ratios = "".join(f"{'-' if value is None else format(value, '.2f'):>11}" for value in (ratio, second))
        print(f"{name:<34}{cells} {ratios}  {verdict}", flush=True)
        self.figures.append({"name": name, **values, "ratio": ratio, "ratio_max": ratio_max, "fog_max": fog_max,
                             "verdict": verdict})


def run_row(row: Row, pipeline: int, servers: dict[str, Server],
            options: argparse.Namespace) -> dict[str, float | None]:
    """The median of interleaved rounds for each server that has the command."""
    count = max(2000, REQUESTS.get(pipeline, 1_000_000) // row.weight // (5 if options.quick else 1))
    able = {name: server for name, server in servers.items() if has_command(server, row.command[0])}
    measured: dict[str, list[float]] = {name: [] for name in able}
    for _ in range(options.rounds):
        for name, server in able.items():
            if row.driver is not None:
                measured[name].append(row.driver(server, count))
            else:
                measured[name].append(load(server, row.command, pipeline, count, row.keyspace))
    return {name: statistics.median(measured[name]) if name in measured else None for name in NAMES}


def run_load(options: argparse.Namespace, results: Results) -> None:
    """Every row, filling by filling, so that a filling is made once per server."""
    rows = chosen_rows(options)
    results.heading("Processor time per request", "µs of the server")
    for filling in dict.fromkeys(row.filling for row in rows):
        mine = [row for row in rows if row.filling == filling]
        servers = {name: start(name, *(("--io-threads", str(options.io_threads)) if name == "fog" else ()))
                   for name in NAMES}
        try:
            for server in servers.values():
                if any(has_command(server, row.command[0]) for row in mine):
                    FILLINGS[filling](server)
            for row in mine:
                for pipeline in row.pipelines:
                    if options.pipeline and pipeline not in options.pipeline:
                        continue
                    values = run_row(row, pipeline, servers, options)
                    results.line(f"{row.name}, pipeline {pipeline}", values, row.targets.get(pipeline))
        finally:
            for server in servers.values():
                server.stop()


def run_memory(options: argparse.Namespace, results: Results) -> None:
    key_count = KEY_COUNT // (5 if options.quick else 1)
    rows: list[MemoryRow] = string_rows(key_count) if options.suite in ("base", "all") else []
    if options.suite in ("types", "all"):
        rows += type_rows(key_count)
    results.heading("Resident memory", "bytes each")
    for row in rows:
        values = {name: bytes_each(name, row) for name in NAMES}
        results.line(row.name, values, row.ratio_max, row.bytes_max)


def run_latency(options: argparse.Namespace, results: Results) -> None:
    keys = 400_000 if options.quick else 2_000_000
    rounds = [{name: insert_latency(name, keys) for name in NAMES} for _ in range(options.rounds)]
    results.heading(f"An unpipelined GET while {keys:,} keys are inserted", "µs")
    for percentile, target in (("p50", None), ("p99", None), ("p999", 1.0), ("max", None)):
        values: dict[str, float | None] = {
            name: statistics.median(one[name][percentile] for one in rounds) for name in NAMES}
        results.line(percentile.replace("p999", "p99.9"), values, target)
    results.heading("Other costs", "bytes, ms")
    count = 2000 if options.quick else 10_000
    idle: dict[str, float | None] = {name: idle_connection_bytes(name, count) for name in NAMES}
    results.line(f"bytes per idle connection of {count}", idle, fog_max=IDLE_BYTES_MAX)
    cold: dict[str, float | None] = {name: cold_start_milliseconds(name) for name in NAMES}
    results.line("start to first PONG, ms", cold, fog_max=COLD_START_MILLISECONDS_MAX)


def run_scaling(results: Results) -> None:
    """All loads of all servers with 1, 2, 4, ... I/O threads. One round: what counts here are multiples."""
    mine, theirs = halves()
    if len(mine) + len(theirs) < CORES_MIN:
        print(f"\nThroughput with several I/O threads is left out: it takes {CORES_MIN} cores.")
        return
    results.heading(f"Throughput, {len(mine)} cores for the server and {len(theirs)} for the load", "1000 requests/s")
    for threads in thread_counts():
        found = {name: dict(throughput(name, threads)) for name in NAMES}
        for label in found["fog"]:
            values: dict[str, float | None] = {name: found[name][label] / 1000 for name in NAMES}
            results.line(f"{label}, io-threads {threads}", values)


def main() -> int:
    options = parse_options()
    results = Results()
    named = bool(options.rows or options.pipeline)
    only_extra = (options.memory or options.latency or options.scaling) and not named
    if not only_extra:
        run_load(options, results)
    if options.memory or not (named or only_extra or options.only_load):
        run_memory(options, results)
    if options.latency or not (named or only_extra or options.only_load):
        run_latency(options, results)
    if options.scaling or not (named or only_extra or options.only_load):
        run_scaling(results)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results.figures, file, indent=1)
    print(f"\n{results.over} of {len(results.figures)} lines are over their target")
    return 1 if results.over else 0


if __name__ == "__main__":
    sys.exit(main())
