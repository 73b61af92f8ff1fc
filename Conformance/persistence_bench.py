"""Measures saving, loading and the append only file beside Valkey 9.1 and says whether the stated targets are met.

Usage: persistence_bench.py [save load always everysec ...] [--megabytes N] [--rounds N] [--priority]
 save      BGSAVE of a mixed dataset under a steady write load: peak memory, worst and 99.9 % latency of single writes
 load      the time from exec to the first PONG with the file that Fog saved, and with the one Valkey saved
 always    SETs a second of 50 clients under `appendfsync always`
 everysec  the server's processor time per SET at pipeline 16 under `appendfsync everysec`
Rounds are interleaved and medians compared: keep ratios of one run, never times of two. Latency and load times mean
little on a machine that does something else; --priority (root) runs all of it before other processes.
Peak memory of a server that forks is its own peak and what its child copied (rdb_last_cow_size).
"""
from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Iterable

from benchmarks.latency import ColdServer, probe_path
from benchmarks.measure import fill, load, processor_nanoseconds, resident_bytes, take_priority
from resp import encode
from servers import BINARIES, Server

PARTS = ("save", "load", "always", "everysec")
NAMES = ("fog", "valkey")
VALUE_BYTES = 1000
ELEMENTS = 50
WRITES_PER_SECOND = 20_000
CLIENT_COUNT = 50
SETTLE_SECONDS = 1.0


class Results:
    """Prints figures and counts targets that are missed."""

    def __init__(self) -> None:
        self.missed = 0
        print(f"{'':<46}{'fog':>10}{'valkey':>10}{'ratio':>8}")

    def line(self, name: str, fog: float, valkey: float, unit: str, ratio_max: float | None = None,
             ratio_min: float | None = None, fog_max: float | None = None) -> None:
        ratio = fog / valkey if valkey else float("inf")
        verdict = ""
        if ratio_max is not None:
            verdict = f"{'ok' if ratio <= ratio_max else 'MISSED'} (at most {ratio_max} x)"
        if ratio_min is not None:
            verdict = f"{'ok' if ratio >= ratio_min else 'MISSED'} (at least {ratio_min} x)"
        if fog_max is not None:
            verdict = f"{'ok' if fog <= fog_max else 'MISSED'} (at most {fog_max})"
        self.missed += "MISSED" in verdict
        print(f"{name + ', ' + unit:<46}{fog:>10.3f}{valkey:>10.3f}{ratio:>8.2f}  {verdict}", flush=True)


def text_pool(rng: random.Random) -> bytes:
    """Bytes of which a part compresses, as what people store does."""
    words = [rng.randbytes(rng.randrange(2, 9)).hex().encode() for _ in range(3000)]
    return b" ".join(rng.choice(words) for _ in range(150_000))


def dataset(megabytes: int) -> Iterable[bytes]:
    """Commands that make about so many megabytes: 85 % strings, the rest hashes, lists, sets and sorted sets."""
    rng = random.Random(1)
    pool = text_pool(rng)

    def piece(count: int) -> bytes:
        start = rng.randrange(len(pool) - count)
        return pool[start:start + count]

    for number in range(string_count(megabytes)):
        yield b"*3\r\n$3\r\nSET\r\n$16\r\nkey:%012d\r\n$%d\r\n%b\r\n" % (number, VALUE_BYTES, piece(VALUE_BYTES))
    for number in range(megabytes * 1_000_000 * 15 // 100 // (4 * ELEMENTS * 30)):
        items = [b"%06d:" % index + piece(14) for index in range(ELEMENTS)]
        yield encode("RPUSH", f"list:{number}", *items)
        yield encode("SADD", f"set:{number}", *items)
        yield encode("HSET", f"hash:{number}", *(word for item in items for word in (item[:8], item)))
        yield encode("ZADD", f"zset:{number}", *(word for index, item in enumerate(items) for word in (index, item)))


def string_count(megabytes: int) -> int:
    return megabytes * 1_000_000 * 85 // 100 // (VALUE_BYTES + 60)


def info(server: Server, field: str) -> str:
    connection = server.connect()
    try:
        text = connection.command("INFO", "everything").text().decode()
    finally:
        connection.close()
    match = re.search(rf"^{field}:(.*?)\r?$", text, re.MULTILINE)
    return match.group(1) if match else ""


def wait_saved(server: Server) -> None:
    connection = server.connect()
    deadline = time.monotonic() + 300
    while b"rdb_bgsave_in_progress:1" in connection.command("INFO", "persistence").text():
        if time.monotonic() > deadline:
            sys.exit(f"{server.name} does not end its save")
        time.sleep(0.05)
    connection.close()
    if info(server, "rdb_last_bgsave_status") != "ok":
        sys.exit(f"{server.name} could not save: {server.log_tail()}")


def reset_peak(pid: int) -> None:
    """Begins the kernel's count of the peak anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_bytes(pid: int) -> int:
    match = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(match.group(1)) * 1024 if match else 0


def save_once(server: Server, keys: int) -> dict[str, float]:
    """One BGSAVE under load."""
    line = [probe_path("write_probe"), str(server.port), str(keys), str(WRITES_PER_SECOND), str(VALUE_BYTES)]
    probe = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert probe.stdin is not None and probe.stdout is not None
    try:
        time.sleep(SETTLE_SECONDS)
        before = resident_bytes(server.pid)
        reset_peak(server.pid)
        probe.stdin.write("begin\n")
        probe.stdin.flush()
        connection = server.connect()
        started = time.monotonic()
        if connection.command("BGSAVE").is_error():
            sys.exit(f"{server.name} refuses BGSAVE")
        connection.close()
        wait_saved(server)
        seconds = time.monotonic() - started
        probe.stdin.close()
        found = json.loads(probe.stdout.read())
    finally:
        probe.kill()
        probe.wait()
    peak = peak_bytes(server.pid)
    if server.name != "fog":
        peak += int(info(server, "rdb_last_cow_size") or 0)
    return {"peak": peak / before, "worst": found["max"] / 1000, "p999": found["p999"] / 1000, "seconds": seconds,
            "overwritten": found["overwritten"] / seconds}


def run_save(options: argparse.Namespace, results: Results, files: dict[str, Path]) -> None:
    servers = {name: Server(BINARIES[name](), name=name) for name in NAMES}
    try:
        for server in servers.values():
            fill(server, dataset(options.megabytes))
        found: dict[str, list[dict[str, float]]] = {name: [] for name in NAMES}
        for _ in range(options.rounds):
            for name, server in servers.items():
                found[name].append(save_once(server, string_count(options.megabytes)))
        figures = {name: {key: statistics.median(entry[key] for entry in found[name]) for key in found[name][0]}
                   for name in NAMES}
        used = {name: int(info(server, "used_memory")) / 1e9 for name, server in servers.items()}
        results.line("dataset in memory", used["fog"], used["valkey"], "GB")
        results.line("BGSAVE under load: peak / own before", figures["fog"]["peak"], figures["valkey"]["peak"], "x",
                     fog_max=1.10)
        results.line("BGSAVE under load: worst write", figures["fog"]["worst"], figures["valkey"]["worst"], "ms",
                     ratio_max=0.25)
        results.line("BGSAVE under load: 99.9 % of writes", figures["fog"]["p999"], figures["valkey"]["p999"], "ms")
        results.line("BGSAVE under load: duration", figures["fog"]["seconds"], figures["valkey"]["seconds"], "s")
        results.line("writes by the load meanwhile", figures["fog"]["overwritten"], figures["valkey"]["overwritten"],
                     "1/s")
        for name, server in servers.items():
            kept = Path(tempfile.mkdtemp(prefix="conformance-file-")) / "dump.rdb"
            shutil.copy(server.folder / "dump.rdb", kept)
            files[name] = kept
            results.line(f"size of {name}'s file", kept.stat().st_size / 1e9, kept.stat().st_size / 1e9, "GB")
    finally:
        for server in servers.values():
            server.stop()


class LoadingServer(ColdServer):
    """Starts on a file and is timed until it answers PONG."""

    file: Path

    def launch(self) -> None:
        shutil.copy(self.file, self.folder / "dump.rdb")
        # What is written back to disk meanwhile must not be measured.
        os.sync()
        super().launch()


def load_milliseconds(name: str, file: Path) -> tuple[float, float]:
    """Until the first PONG, and the processor time it took."""
    server_type = type("LoadingServerOfFile", (LoadingServer,), {"file": file})
    server = server_type(BINARIES[name](), name=name)
    try:
        return server.milliseconds, processor_nanoseconds(server.pid) / 1e6
    finally:
        server.stop()


def run_load(options: argparse.Namespace, results: Results, files: dict[str, Path]) -> None:
    if not files:
        for name in NAMES:
            with Server(BINARIES[name](), name=name) as server:
                fill(server, dataset(options.megabytes))
                server.connect().command("BGSAVE")
                wait_saved(server)
                files[name] = Path(tempfile.mkdtemp(prefix="conformance-file-")) / "dump.rdb"
                shutil.copy(server.folder / "dump.rdb", files[name])
    for author, file in files.items():
        if author == "valkey" and not file.read_bytes()[:5] in (b"REDIS", b"VALKE"):
            continue
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in NAMES}
        for _ in range(options.rounds):
            for name in NAMES:
                found[name].append(load_milliseconds(name, file))
        medians = {name: statistics.median(entry[0] for entry in found[name]) / 1000 for name in NAMES}
        processor = {name: statistics.median(entry[1] for entry in found[name]) / 1000 for name in NAMES}
        results.line(f"load of {author}'s file", medians["fog"], medians["valkey"], "s", ratio_max=0.6)
        results.line(f"load of {author}'s file, processor", processor["fog"], processor["valkey"], "s")


def benchmark(server: Server, count: int, pipeline: int) -> float:
    """SETs a second by redis-benchmark."""
    tool = shutil.which("redis-benchmark")
    assert tool is not None, "redis-benchmark is missing: run Conformance/install.sh"
    line = [tool, "-h", "127.0.0.1", "-p", str(server.port), "-c", str(CLIENT_COUNT), "-n", str(count), "-P",
            str(pipeline), "-r", "100000", "-d", "64", "-q", "--csv", "-t", "set"]
    outcome = subprocess.run(line, capture_output=True, text=True, check=True)
    match = re.search(r'^"SET","([0-9.]+)"', outcome.stdout, re.MULTILINE)
    if match is None:
        sys.exit(f"redis-benchmark on {server.name}: {outcome.stdout} {outcome.stderr}")
    return float(match.group(1))


def append_only(name: str, policy: str) -> Server:
    return Server(BINARIES[name](), "--appendonly", "yes", "--appendfsync", policy, "--auto-aof-rewrite-percentage",
                  "0", name=name)


def run_always(options: argparse.Namespace, results: Results) -> None:
    servers = {name: append_only(name, "always") for name in NAMES}
    try:
        found: dict[str, list[float]] = {name: [] for name in NAMES}
        for _ in range(max(3, options.rounds)):
            for name, server in servers.items():
                found[name].append(benchmark(server, 30_000, 1) / 1000)
        results.line("AOF always, 50 writers", statistics.median(found["fog"]), statistics.median(found["valkey"]),
                     "1000 SET/s", ratio_min=1.0)
    finally:
        for server in servers.values():
            server.stop()


def run_everysec(options: argparse.Namespace, results: Results) -> None:
    for pipeline, ratio_max in ((16, 0.6), (1, None)):
        servers = {name: append_only(name, "everysec") for name in NAMES}
        try:
            found: dict[str, list[float]] = {name: [] for name in NAMES}
            for _ in range(max(3, options.rounds)):
                for name, server in servers.items():
                    count = 800_000 if pipeline > 1 else 100_000
                    found[name].append(load(server, ("-t", "set", "-d", "64"), pipeline, count, 1_000_000))
            results.line(f"AOF everysec, pipeline {pipeline}, processor", statistics.median(found["fog"]),
                         statistics.median(found["valkey"]), "µs/SET", ratio_max=ratio_max)
        finally:
            for server in servers.values():
                server.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="what to measure; all when none is named")
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--priority", action="store_true", help="run before other processes (root)")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {unknown.pop()}")
    if options.priority:
        take_priority()
    results = Results()
    files: dict[str, Path] = {}
    try:
        for part in options.parts or PARTS:
            if part == "save":
                run_save(options, results, files)
            elif part == "load":
                run_load(options, results, files)
            elif part == "always":
                run_always(options, results)
            else:
                run_everysec(options, results)
    finally:
        for file in files.values():
            shutil.rmtree(file.parent, ignore_errors=True)
    print(f"{results.missed} targets missed")
    return 1 if results.missed else 0


if __name__ == "__main__":
    sys.exit(main())
