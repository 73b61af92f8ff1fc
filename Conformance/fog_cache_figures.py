#!/usr/bin/env python3
"""The cache's figures against a running release build: one line per target, with what was measured. Ends with 1 when a
target is missed.

    FOG_SERVER=.build/release/fog-server python3 Conformance/fog_cache_figures.py
"""
from __future__ import annotations

import json
import socket
import statistics
import sys
import threading
import time

import redis

from servers import Server, fog_binary

FAILED: list[str] = []


def line(name: str, text: str, is_good: bool) -> None:
    print(f"{'PASS' if is_good else 'FAIL'} | {name:<46} | {text}", flush=True)
    if not is_good:
        FAILED.append(name)


def encode(*words: object) -> bytes:
    parts = [str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def misses(port: int, count: int = 1000) -> None:
    """Connections that all miss one key: their replies, counted by state."""
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
    began = time.perf_counter()
    for each in sockets:
        each.sendall(encode("FOG.CACHE", "FETCH", "missed", "WAIT", 20000))
    client = redis.Redis(port=port, decode_responses=True)
    leases = []
    deadline = time.monotonic() + 10
    while not leases and time.monotonic() < deadline:
        for each in sockets:
            each.setblocking(False)
            try:
                text = each.recv(4096)
            except BlockingIOError:
                continue
            leases.append((each, text))
    token = leases[0][1].split(b"\r\n")[-2].decode()
    time.sleep(0.2)
    client.execute_command("FOG.CACHE", "FILL", "missed", token, "value", "EX", 60)
    hits = 0
    for each in sockets:
        if any(each is holder for holder, _ in leases):
            continue
        each.settimeout(10)
        if b"hit" in each.recv(4096):
            hits += 1
    seconds = time.perf_counter() - began
    line(f"{count} concurrent misses", f"{len(leases)} lease, {hits} hits, {seconds:.2f} s with Python's share",
         len(leases) == 1 and hits == count - 1)
    for each in sockets:
        each.close()


def tags(port: int, count: int = 1_000_000) -> None:
    link = socket.create_connection(("127.0.0.1", port))
    reader = link.makefile("rb", buffering=1 << 20)
    batch = 5000
    for start in range(0, count, batch):
        link.sendall(b"".join(encode("FOG.CACHE", "SET", f"t:{index}", "value", "PERSIST", "TAG", "all",
                                     f"g{index % 1000}") for index in range(start, start + batch)))
        for _ in range(batch):
            reader.readline()
    client = redis.Redis(port=port, decode_responses=True)
    client.ping()
    began = time.perf_counter()
    found = client.execute_command("FOG.INVALIDATE", "TAG", "all")
    milliseconds = (time.perf_counter() - began) * 1000
    line(f"FOG.INVALIDATE TAG of {count} keys", f"{found} keys, {milliseconds:.3f} ms round trip (< 1 ms)",
         found == count and milliseconds < 1)
    line("no such key is served or listed", "GET, KEYS", client.get("t:1") is None and not client.keys("t:*"))
    pings = []
    began = time.perf_counter()
    while client.dbsize() > 10 and time.perf_counter() - began < 30:
        start = time.perf_counter()
        client.ping()
        pings.append((time.perf_counter() - start) * 1000)
    pings.sort()
    line("DBSIZE after it", f"{time.perf_counter() - began:.2f} s until they are gone; PING meanwhile p99 "
         f"{pings[int(len(pings) * 0.99)] if pings else 0:.2f} ms", client.dbsize() <= 10)


def patterns(port: int) -> None:
    client = redis.Redis(port=port, decode_responses=True)
    pipeline = client.pipeline(transaction=False)
    for index in range(500_000):
        pipeline.set(f"other:{index}", "x")
        if index % 10_000 == 9999:
            pipeline.execute()
    pipeline.mset({f"user:{index}": "x" for index in range(10_000)})
    pipeline.execute()
    pings: list[float] = []
    is_over = threading.Event()

    def ping() -> None:
        own = redis.Redis(port=port)
        while not is_over.is_set():
            start = time.perf_counter()
            own.ping()
            pings.append((time.perf_counter() - start) * 1000)

    thread = threading.Thread(target=ping)
    thread.start()
    time.sleep(0.2)
    pings.clear()
    began = time.perf_counter()
    found = client.execute_command("FOG.INVALIDATE", "PATTERN", "user:*")
    seconds = time.perf_counter() - began
    is_over.set()
    thread.join()
    pings.sort()
    p99 = pings[int(len(pings) * 0.99)] if pings else 0.0
    line("FOG.INVALIDATE PATTERN, 10k of 510k keys", f"{found} keys, {seconds * 1000:.0f} ms; PING p99 {p99:.2f} ms "
         f"of {len(pings)} (< 5 ms)", found == 10_000 and p99 < 5)


def events(port: int, rate: int = 10_000, seconds: int = 3) -> None:
    """Events at a rate from one connection, latency as the subscriber sees it by the payload's time."""
    listener = socket.create_connection(("127.0.0.1", port))
    listener.sendall(encode("SUBSCRIBE", "fog:events"))
    reader = listener.makefile("rb", buffering=1 << 20)
    for _ in range(6):
        reader.readline()
    latencies: list[float] = []
    total = rate * seconds

    def listen() -> None:
        for _ in range(total):
            for _ in range(6):
                reader.readline()
            payload = reader.readline()
            latencies.append(time.time() * 1e6 - int(payload.split(b'"ts_us":', 1)[1].split(b",", 1)[0]))

    thread = threading.Thread(target=listen)
    thread.start()
    link = socket.create_connection(("127.0.0.1", port))
    command = encode("FOG.EVENT", "PUBLISH", "PRICING_UPDATED", "RTX 3080", "DATA", json.dumps({"price": 0.18}))
    began = time.perf_counter()
    for index in range(total // 10):
        link.sendall(command * 10)
        pause = began + (index + 1) * 10 / rate - time.perf_counter()
        if pause > 0:
            time.sleep(pause)
        link.setblocking(False)
        try:
            link.recv(1 << 20)
        except BlockingIOError:
            pass
        link.setblocking(True)
    took = time.perf_counter() - began
    thread.join()
    latencies.sort()
    p99 = latencies[int(len(latencies) * 0.99)] / 1000
    line(f"event to subscriber at {total / took:.0f}/s", f"p50 {statistics.median(latencies) / 1000:.2f} ms, p99 "
         f"{p99:.2f} ms (< 2 ms), Python's reader included", p99 < 2)


def main() -> int:
    with Server(fog_binary(), "--io-threads", "2", "--maxclients", "4000") as server:
        misses(server.port)
        events(server.port)
        patterns(server.port)
        tags(server.port)
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
