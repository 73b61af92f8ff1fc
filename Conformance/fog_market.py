#!/usr/bin/env python3
"""Measures task queues and the GPU marketplace from outside: pipelined rates, a million queued tasks, 100,000 GPUs.

    FOG_SERVER=.build/release/fog-server python3 Conformance/fog_market.py [TASKS [GPUS]]
"""
from __future__ import annotations

import statistics
import sys
import time
from typing import Callable, Iterable

from resp import Connection
from servers import Server, fog_binary

BATCH = 500


def rate(connection: Connection, commands: Iterable[tuple[str, ...]], check: Callable[[object], bool]) -> float:
    """Commands a second, `BATCH` of them in each pipeline; every reply is looked at."""
    lines = [tuple(word.encode() for word in command) for command in commands]
    began = time.perf_counter()
    for start in range(0, len(lines), BATCH):
        for reply in connection.pipeline(lines[start:start + BATCH]):
            assert check(reply), reply
    return len(lines) / (time.perf_counter() - began)


def latency(connection: Connection, *command: str, count: int = 200) -> str:
    """Median and 95th percentile of one command, milliseconds."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        reply = connection.command(*command)
        times.append((time.perf_counter() - began) * 1000)
        assert not reply.is_error(), reply
    return f"median {statistics.median(times):.3f} ms, p95 {statistics.quantiles(times, n=20)[-1]:.3f} ms"


def fine(reply: object) -> bool:
    return not reply.is_error()  # type: ignore[attr-defined]


def main() -> int:
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    gpus = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    with Server(fog_binary(), "--io-threads", "1") as server:
        client = server.connect()
        client.timeout_seconds = 60
        priorities = ["critical", "high", "normal", "low"]
        enqueue = rate(client, (("FOG.TASK", "ENQUEUE", "q", f"payload-{n}", "ID", f"t{n}", "PRIORITY",
                                 priorities[n % 4]) for n in range(tasks)), fine)
        print(f"ENQUEUE of {tasks} tasks: {enqueue:,.0f}/s pipelined")
        print(f"CLAIM and ACK one by one with {tasks} queued: CLAIM {latency(client, 'FOG.TASK', 'CLAIM', 'q', 'w')}")
        count = min(tasks // 2, 100_000)
        claim = rate(client, (("FOG.TASK", "CLAIM", "q", "w") for _ in range(count)), fine)
        print(f"CLAIM of {count}: {claim:,.0f}/s pipelined")
        leased = [reply.text().decode() for reply in client.command("FOG.TASK", "LIST", "STATUS", "running").items()]
        ack = rate(client, (("FOG.TASK", "ACK", name, "w") for name in leased), fine)
        print(f"ACK of {len(leased)}: {ack:,.0f}/s pipelined")
        client.command("FLUSHALL")
        offer = rate(client, (("FOG.GPU", "SET", f"g{n}", "TYPE", f"type-{n % 5}", "REGION", f"region-{n % 4}",
                               "PROVIDER", f"p{n % 100}", "PRICE", f"{n % 977 / 100 + 0.01:.2f}", "PERF", str(n % 991))
                              for n in range(gpus)), fine)
        print(f"GPU SET of {gpus}: {offer:,.0f}/s pipelined")
        avail = ("FOG.GPU", "AVAIL", "LIMIT", "10")
        print(f"AVAIL LIMIT 10 of {gpus}: {latency(client, *avail)}")
        print(f"AVAIL of one market, LIMIT 100: "
              f"{latency(client, 'FOG.GPU', 'AVAIL', 'TYPE', 'type-1', 'REGION', 'region-1', 'LIMIT', '100')}")
        print(f"AVAIL SORT score LIMIT 10: {latency(client, *avail, 'SORT', 'score')}")
        print(f"RANK LIMIT 10: {latency(client, 'FOG.GPU', 'RANK', 'LIMIT', '10')}")
        print(f"MARKET STATS: {latency(client, 'FOG.MARKET', 'STATS')}")
        book = rate(client, (("FOG.BOOK", "CREATE", f"b{n}", f"g{n}", "u") for n in range(min(gpus, 20_000))), fine)
        cancel = rate(client, (("FOG.BOOK", "CANCEL", f"b{n}") for n in range(min(gpus, 20_000))), fine)
        print(f"BOOK CREATE: {book:,.0f}/s, CANCEL: {cancel:,.0f}/s pipelined, five events each")
    return 0


if __name__ == "__main__":
    sys.exit(main())
