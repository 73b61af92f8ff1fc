#!/usr/bin/env python3
"""The coordinator's figures against a running release build: one line per target of the mission that the registry,
the balancer, the breaker and scaling own, with what was measured. Fails when a target is missed.

    FOG_SERVER=.build/release/fog-server python3 Conformance/fog_coordinator.py

Server CPU per command is the server process' own time (/proc/PID/stat) over commands sent in pipelines, so neither the
client nor the network counts. Nodes are spread over 4 regions, 3 types and 3 statuses.
"""

import os
import random
import socket
import statistics
import sys
import time

from servers import Server, fog_binary


class Link:
    """A bare connection: commands out, replies counted by a small reader."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb", buffering=1 << 20)

    @staticmethod
    def encode(*words: object) -> bytes:
        parts = [str(word).encode() for word in words]
        return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)

    def reply(self) -> object:
        line = self.file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b"+":
            return rest.decode()
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2].decode()
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        raise RuntimeError(f"unexpected {line!r}")

    def run(self, *words: object) -> object:
        self.socket.sendall(self.encode(*words))
        return self.reply()

    def pipeline(self, lines: list[bytes], depth: int = 200) -> None:
        for start in range(0, len(lines), depth):
            part = lines[start : start + depth]
            self.socket.sendall(b"".join(part))
            for _ in part:
                self.reply()


def size(reply: object) -> int:
    """Bytes of a reply of arrays and bulks."""
    if isinstance(reply, list):
        return len(f"*{len(reply)}\r\n") + sum(size(item) for item in reply)
    text = str(reply).encode()
    return len(f"${len(text)}\r\n") + len(text) + 2


class Report:
    def __init__(self) -> None:
        self.failed = 0

    def line(self, name: str, value: float, unit: str, target: float, is_least: bool = False) -> None:
        passed = value >= target if is_least else value <= target
        self.failed += not passed
        sign = ">=" if is_least else "<="
        word = "PASS" if passed else "MISS"
        print(f"{word} | {name:58} | {value:12.2f} {unit:10} (target: {sign} {target:g} {unit})")

    def note(self, name: str, value: float, unit: str) -> None:
        print(f"     | {name:58} | {value:12.2f} {unit}")


def cpu_seconds(process_id: int) -> float:
    """User and system time of the process, from schedstat's nanoseconds of every thread."""
    total = 0
    for thread in os.listdir(f"/proc/{process_id}/task"):
        with open(f"/proc/{process_id}/task/{thread}/schedstat") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def resident(process_id: int) -> int:
    with open(f"/proc/{process_id}/statm") as file:
        return int(file.read().split()[1]) * 4096


def node_line(number: int, capacity: int = 0) -> bytes:
    return Link.encode(
        "FOG.NODE", "REGISTER", f"node-{number}", "TYPE", f"type-{number % 3}", "REGION", f"region-{number % 4}",
        "STATUS", ["active", "active", "draining"][number // 12 % 3], "CPU", number * 7 % 90, "CAP", capacity,
        "ADDR", f"10.0.{number >> 8 & 255}.{number & 255}:7000")


def cost(server: Server, link: Link, lines: list[bytes], warm: int = 2000) -> float:
    """Server microseconds per command."""
    link.pipeline(lines[:warm])
    before = cpu_seconds(server.pid)
    link.pipeline(lines)
    return (cpu_seconds(server.pid) - before) / len(lines) * 1e6


def registration(server: Server, link: Link, report: Report) -> None:
    started = time.perf_counter()
    for number in range(2000):
        link.socket.sendall(node_line(number))
        link.reply()
    rate = 2000 / (time.perf_counter() - started)
    report.line("registration, one connection, no pipeline (FN-11)", rate, "nodes/s", 1000, True)
    link.run("FLUSHALL")
    lines = [node_line(number) for number in range(100_000)]
    started, before = time.perf_counter(), cpu_seconds(server.pid)
    link.pipeline(lines)
    seconds, cpu = time.perf_counter() - started, cpu_seconds(server.pid) - before
    report.line("registration, pipelined on one connection (PT-05)", len(lines) / seconds, "nodes/s", 50_000, True)
    report.note("    server CPU per registration", cpu / len(lines) * 1e6, "us")
    lines = [Link.encode("FOG.NODE", "HEARTBEAT", f"node-{number}", "CPU", number % 90) for number in range(100_000)]
    started = time.perf_counter()
    link.pipeline(lines)
    report.note("heartbeats, pipelined on one connection", len(lines) / (time.perf_counter() - started), "per second")
    words: list[object] = ["FOG.NODE", "MREGISTER", 100]
    for number in range(100):
        words += [f"batch-{number}", 4, "type", "edge", "region", "eu", "cpu", number % 90, "status", "active"]
    times = []
    for _ in range(20):
        started = time.perf_counter()
        link.run(*words)
        times.append((time.perf_counter() - started) * 1000)
    report.line("MREGISTER of 100 nodes, median (PT-04, FN-10)", statistics.median(times), "ms", 5)
    line = Link.encode("FOG.NODE", "MGET", *[f"batch-{number}" for number in range(100)])
    link.socket.sendall(line)
    byte_count = size(link.reply())
    times = []
    for _ in range(20):
        started = time.perf_counter()
        link.socket.sendall(line)
        # The bytes only: reading two thousand words takes this script longer than the server.
        link.file.read(byte_count)
        times.append((time.perf_counter() - started) * 1000)
    report.line("MGET of 100 nodes, median (PT-03)", statistics.median(times), "ms", 1)


def queries(server: Server, link: Link, report: Report) -> None:
    def percentile(*words: object) -> float:
        times = []
        for _ in range(400):
            started = time.perf_counter()
            link.run(*words)
            times.append((time.perf_counter() - started) * 1000)
        return sorted(times)[int(len(times) * 0.95)]

    query = ("STATUS", "active", "REGION", "region-2")
    found = percentile("FOG.NODE", "LIST", *query, "LIMIT", 0, 100)
    report.line("LIST of 100 out of 100,000 by two filters, p95 (FN-03)", found, "ms", 1)
    plan = link.run("FOG.NODE", "EXPLAIN", *query, "LIMIT", 0, 100)
    print(f"     |     by {dict(zip(plan[::2], plan[1::2]))}")
    report.note("COUNT by two filters, p95", percentile("FOG.NODE", "COUNT", *query), "ms")
    statistics_ = link.run("FOG.STATS", "NODES")
    pairs = dict(zip(statistics_[::2], statistics_[1::2]))
    report.note("index memory per node (100,000 nodes)", float(pairs["index_bytes_per_node"]), "bytes")


def balancing(server: Server, link: Link, report: Report) -> None:
    link.run("FLUSHALL")
    link.pipeline([node_line(number) for number in range(5000)])
    for name in ["least_connections", "weighted_round_robin", "round_robin", "response_time"]:
        lines = [Link.encode("FOG.ROUTE", f"task-{number}", "ALGO", name) for number in range(20_000)]
        report.line(f"FOG.ROUTE over 5,000 nodes, {name}", cost(server, link, lines), "us CPU", 5)
    started = time.perf_counter()
    link.run("FOG.LB", "RING", "first")
    report.note("making the hash ring of 5,000 nodes", (time.perf_counter() - started) * 1000, "ms")
    lines = [
        Link.encode("FOG.ROUTE", f"task-{number}", "ALGO", "consistent_hash", "SESSION", f"s{number % 3000}")
        for number in range(20_000)
    ]
    report.line("FOG.ROUTE over 5,000 nodes, consistent_hash", cost(server, link, lines), "us CPU", 5)
    lines = [Link.encode("FOG.ROUTE", f"task-{number}", "REGION", "region-1") for number in range(20_000)]
    report.line("FOG.ROUTE by least connections in one region", cost(server, link, lines), "us CPU", 5)
    link.pipeline([Link.encode("FOG.BREAKER", "TRIP", f"node-{number}") for number in range(0, 5000, 2)])
    lines = [Link.encode("FOG.ROUTE", f"task-{number}") for number in range(20_000)]
    report.line("FOG.ROUTE with half of the circuits open", cost(server, link, lines), "us CPU", 5)
    link.pipeline([Link.encode("FOG.BREAKER", "RESET", f"node-{number}") for number in range(0, 5000, 2)])
    excluded = [f"node-{number}" for number in range(0, 160, 8)]
    lines = [Link.encode("FOG.LB", "SELECT", "EXCLUDE", *excluded) for _ in range(20_000)]
    report.note("SELECT with 20 excluded", cost(server, link, lines), "us CPU")


def shares(server: Server, link: Link, report: Report) -> None:
    link.run("FLUSHALL")
    for number in range(10):
        link.run("FOG.NODE", "REGISTER", f"node-{number}", "CPU", min(90, 10 + number * 9))

    def counts(algorithm: str, count: int) -> list[int]:
        found = dict.fromkeys((f"node-{number}" for number in range(10)), 0)
        for _ in range(count):
            found[link.run("FOG.LB", "SELECT", "ALGO", algorithm, "BEGIN")] += 1
        return list(found.values())

    for name in ["least_connections", "round_robin"]:
        found = counts(name, 5000)
        variation = statistics.pstdev(found) / statistics.mean(found) * 100
        report.line(f"distribution CV, {name} (PT-06)", variation, "%", 50)
    found = counts("weighted_round_robin", 5000)
    report.line("weighted round robin: share of node-0 (PT-09)", found[0] / 50, "%", 15, True)
    link.run("FLUSHALL")
    link.pipeline([node_line(number) for number in range(1000)])
    lines = [Link.encode("FOG.LB", "SELECT", "ALGO", "weighted_round_robin") for _ in range(10_000)]
    started = time.perf_counter()
    link.pipeline(lines)
    milliseconds = (time.perf_counter() - started) * 1000
    report.line("weighted round robin: 10,000 selects of 1,000 (PT-08)", milliseconds, "ms", 1000)


def breaker(server: Server, link: Link, report: Report) -> None:
    link.run("FLUSHALL")
    link.pipeline([node_line(number) for number in range(1000)])
    rng = random.Random(1)
    lines = []
    for _ in range(30_000):
        lines.append(Link.encode("FOG.LB", "SELECT", "ALGO", "round_robin"))
        lines.append(Link.encode("FOG.LB", "END", f"node-{rng.randrange(1000)}", "OK", "RT", rng.randrange(1, 50)))
    costs: dict[str, list[float]] = {"yes": [], "no": []}
    for _ in range(5):
        for state in ["yes", "no"]:
            link.run("CONFIG", "SET", "fog-circuit-breaker", state)
            costs[state].append(cost(server, link, lines))
    link.run("CONFIG", "SET", "fog-circuit-breaker", "yes")
    with_it, without = min(costs["yes"]), min(costs["no"])
    report.note("SELECT and END with the breaker, per command", with_it, "us CPU")
    report.line("breaker overhead (PT-07, CB-07)", max(0.0, (with_it / without - 1) * 100), "%", 5)


def plain(server: Server, link: Link, report: Report) -> None:
    """SET and GET before a FOG command ran, and after."""
    link.run("FLUSHALL")
    sets = [Link.encode("SET", f"key:{number % 10_000}", "x" * 64) for number in range(100_000)]
    gets = [Link.encode("GET", f"key:{number % 10_000}") for number in range(100_000)]
    with Server(fog_binary()) as fresh:
        other = Link(fresh.port)
        report.note("SET before any FOG command", min(cost(fresh, other, sets) for _ in range(3)), "us CPU")
        report.note("GET before any FOG command", min(cost(fresh, other, gets) for _ in range(3)), "us CPU")
    link.run("FOG.NODE", "REGISTER", "one")
    report.note("SET with a node registered", min(cost(server, link, sets) for _ in range(3)), "us CPU")
    report.note("GET with a node registered", min(cost(server, link, gets) for _ in range(3)), "us CPU")


def rebuild(server: Server, link: Link, report: Report) -> None:
    """What the first FOG command costs in a database that was filled without any."""
    with Server(fog_binary()) as fresh:
        other = Link(fresh.port)
        for start in range(0, 1_000_000, 10_000):
            words: list[object] = ["MSET"]
            for number in range(start, start + 10_000):
                words += [f"key:{number}", number]
            other.run(*words)
        started = time.perf_counter()
        other.run("FOG.NODE", "COUNT")
        report.note("first FOG command among 1,000,000 other keys", (time.perf_counter() - started) * 1000, "ms")


def large(server: Server, link: Link, report: Report) -> None:
    """Two hundred thousand nodes (FN-17)."""
    link.run("FLUSHALL")
    before = resident(server.pid)
    link.pipeline([node_line(number) for number in range(200_000)])
    report.note("memory per node, record and index (200,000 nodes)", (resident(server.pid) - before) / 200_000, "bytes")
    pairs = link.run("FOG.STATS", "NODES")
    report.note("    of which index", float(dict(zip(pairs[::2], pairs[1::2]))["index_bytes_per_node"]), "bytes")
    times = []
    for _ in range(400):
        started = time.perf_counter()
        link.run("FOG.NODE", "LIST", "STATUS", "active", "TYPE", "type-1", "LIMIT", 0, 100)
        times.append((time.perf_counter() - started) * 1000)
    report.line("LIST of 100 out of 200,000 by two filters, p95", sorted(times)[380], "ms", 1)
    lines = [Link.encode("FOG.ROUTE", f"task-{number}") for number in range(20_000)]
    report.note("FOG.ROUTE over 200,000 nodes", cost(server, link, lines), "us CPU")
    started = time.perf_counter()
    link.run("FLUSHALL")
    report.note("FLUSHALL of it all", (time.perf_counter() - started) * 1000, "ms")


def main() -> int:
    report = Report()
    with Server(fog_binary()) as server:
        link = Link(server.port)
        for part in [registration, queries, balancing, shares, breaker, large, plain, rebuild]:
            part(server, link, report)
    print(f"{report.failed} targets missed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
