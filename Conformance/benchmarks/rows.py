"""The rows of the benchmark: which command, on which data, and the ratio to Valkey that must be reached.

A row is a redis-benchmark command line (`__rand_int__` is a random 12-digit number below the keyspace) or a
driver of its own. Adding a command family means adding rows and, if needed, a filling.
"""
from __future__ import annotations

import hashlib
import random
import selectors
import socket
from dataclasses import dataclass, field
from typing import Callable, Iterable

from benchmarks.measure import fill, fill_keys, processor_nanoseconds
from resp import encode
from servers import Server

KEY_COUNT = 1_000_000
SMALL_COUNT = 200_000
VALUE = b"x" * 64
BIG_STREAM = 400_000
Driver = Callable[[Server, int], float]


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    command: tuple[str, ...]
    filling: str
    keyspace: int = KEY_COUNT
    pipelines: tuple[int, ...] = (16,)
    # The most that Fog may use, as a part of what Valkey uses, by pipeline depth.
    targets: dict[int, float] = field(default_factory=lambda: {16: 0.70})
    # How many times costlier than GET a request is; divides the number of requests.
    weight: int = 1
    driver: Driver | None = None


def _random_key(prefix: str = "key:") -> str:
    return f"{prefix}__rand_int__"


BASE_PIPELINES = (1, 16, 64)
SET_AND_GET = "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])"
BASE = (
    Row("GET", ("GET", _random_key()), "strings", pipelines=BASE_PIPELINES, targets={1: 0.97, 16: 0.65, 64: 0.40}),
    Row("SET", ("SET", _random_key(), VALUE.decode()), "strings", pipelines=BASE_PIPELINES,
        targets={1: 0.97, 16: 0.65, 64: 0.40}),
    Row("SETEX", ("SETEX", _random_key(), "10000", VALUE.decode()), "strings", pipelines=BASE_PIPELINES,
        targets={16: 0.65}),
    Row("INCR", ("INCR", _random_key("cnt:")), "strings", pipelines=BASE_PIPELINES, targets={16: 0.65}),
    Row("MGET", ("MGET",) + (_random_key(),) * 10, "strings", pipelines=BASE_PIPELINES, targets={16: 0.65}, weight=4),
    Row("EVAL SET+GET", ("EVAL", SET_AND_GET, "1", _random_key(), VALUE.decode()), "strings", targets={16: 0.50},
        weight=4),
    Row("EVALSHA SET+GET", ("EVALSHA", hashlib.sha1(SET_AND_GET.encode()).hexdigest(), "1", _random_key(),
                            VALUE.decode()), "strings", targets={16: 0.50}, weight=4),
    Row("PING", ("PING",), "strings", pipelines=BASE_PIPELINES, targets={}),
)


def read_and_acknowledge(server: Server, request_count: int) -> float:
    """XREADGROUP of one entry and its XACK, 16 pairs a write; ids are of one length, so replies are too."""
    connection = server.connect()
    connection.command("DEL", "grp")
    first = 1_000_000_000_000
    fill(server, (encode("XADD", "grp", f"{first + number}-1", "f", "v") for number in range(request_count)), None)
    connection.command("XGROUP", "CREATE", "grp", "g", "0")
    read = encode("XREADGROUP", "GROUP", "g", "c", "COUNT", "1", "STREAMS", "grp", ">")
    connection.send_raw(read)
    sample = connection.read_reply()
    assert sample.items(), f"XREADGROUP on {server.name} gave {sample}"
    connection.command("XGROUP", "SETID", "grp", "g", "0")
    entry = b"*1\r\n*2\r\n$3\r\ngrp\r\n*1\r\n*2\r\n$15\r\n1000000000000-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n"
    reply_bytes = len(entry) + len(b":1\r\n")
    before = processor_nanoseconds(server.pid)
    for start in range(0, request_count - 15, 16):
        acknowledgements = [encode("XACK", "grp", "g", f"{first + start + number}-1") for number in range(16)]
        connection.socket.sendall(read * 16 + b"".join(acknowledgements))
        wanted = reply_bytes * 16
        while wanted > 0:
            chunk = connection.socket.recv(65536)
            assert chunk, f"{server.name} closed the connection"
            wanted -= len(chunk)
    used = processor_nanoseconds(server.pid) - before
    connection.command("DEL", "grp")
    connection.close()
    return used / 1000.0 / request_count


SUBSCRIBER_COUNT = 50
PATTERN_COUNT = 10_000


def deliver_to_subscribers(server: Server, request_count: int) -> float:
    """50 subscribers of one channel; the time that one message costs for one of them."""
    listeners = []
    for _ in range(SUBSCRIBER_COUNT):
        connection = server.connect()
        connection.command("SUBSCRIBE", "news")
        connection.socket.setblocking(False)
        listeners.append(connection)
    selector = selectors.DefaultSelector()
    for connection in listeners:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    publisher = server.connect()
    message = encode("PUBLISH", "news", VALUE)
    delivery = len(b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$64\r\n" + VALUE + b"\r\n")
    reply = len(f":{SUBSCRIBER_COUNT}\r\n")
    rounds = max(1, request_count // SUBSCRIBER_COUNT // 16)
    before = processor_nanoseconds(server.pid)
    for _ in range(rounds):
        publisher.socket.sendall(message * 16)
        _take(publisher.socket, reply * 16)
        left = {connection.socket.fileno(): delivery * 16 for connection in listeners}
        while left:
            for key, _ in selector.select(10):
                left[key.fd] = left.get(key.fd, 0) - len(key.fileobj.recv(65536))
                if left[key.fd] <= 0:
                    del left[key.fd]
    used = processor_nanoseconds(server.pid) - before
    for connection in (*listeners, publisher):
        connection.close()
    return used / 1000.0 / (rounds * 16 * SUBSCRIBER_COUNT)


def publish_past_patterns(server: Server, request_count: int) -> float:
    """10,000 pattern subscriptions of which none wants the message; the time of one PUBLISH."""
    listener = server.connect()
    for start in range(0, PATTERN_COUNT, 500):
        words = [f"topic:{number}:*" for number in range(start, start + 500)]
        listener.send_raw(encode("PSUBSCRIBE", *words))
        for _ in words:
            listener.read_reply()
    publisher = server.connect()
    # A stock server looks at every pattern: a small part of the requests tells as much.
    count = max(160, request_count // (1 if server.name == "fog" else 50))
    before = processor_nanoseconds(server.pid)
    for _ in range(count // 16):
        publisher.socket.sendall(encode("PUBLISH", "other:channel", VALUE) * 16)
        _take(publisher.socket, len(b":0\r\n") * 16)
    used = processor_nanoseconds(server.pid) - before
    listener.close()
    publisher.close()
    return used / 1000.0 / (count // 16 * 16)


def _take(peer: socket.socket, byte_count: int) -> None:
    while byte_count > 0:
        chunk = peer.recv(min(byte_count, 65536))
        assert chunk, "the server closed the connection"
        byte_count -= len(chunk)


MESSAGES = (
    Row("PUBLISH to nobody", ("PUBLISH", "nobody:listens", VALUE.decode()), "sketch", targets={16: 0.70}),
    Row("PUBLISH past 10,000 patterns", ("PUBLISH",), "sketch", driver=publish_past_patterns, targets={16: 0.05}),
    Row("delivery to one of 50", ("PUBLISH",), "sketch", driver=deliver_to_subscribers, targets={16: 0.60}),
)

TYPES = (
    Row("HSET 2 fields", ("HSET", _random_key("hsh:"), "field:1", "value1", "field:2", "value2"), "hashes",
        SMALL_COUNT),
    Row("HGET", ("HGET", _random_key("hsh:"), "field:3"), "hashes", SMALL_COUNT),
    Row("HGETALL of 10", ("HGETALL", _random_key("hsh:")), "hashes", SMALL_COUNT, weight=3),
    Row("SADD", ("SADD", "bigset", "member:__rand_int__"), "set"),
    Row("SISMEMBER", ("SISMEMBER", "bigset", "member:__rand_int__"), "set"),
    Row("ZADD into 1M", ("ZADD", "bigzset", "__rand_int__", "member:__rand_int__"), "sorted set", weight=3),
    Row("ZRANGE of 100", ("ZRANGE", "bigzset", "500000", "500099"), "sorted set", weight=10),
    Row("ZRANGEBYSCORE", ("ZRANGEBYSCORE", "bigzset", "__rand_int__", "+inf", "LIMIT", "0", "10"), "sorted set",
        weight=5),
    Row("LPUSH", ("LPUSH", "biglist", "element:12345678"), "list"),
    Row("RPOP", ("RPOP", "biglist"), "list"),
    Row("LRANGE of 100", ("LRANGE", "somelist", "0", "99"), "list", weight=10),
    Row("LRANGE of 600", ("LRANGE", "somelist", "0", "599"), "list", weight=40),
    Row("XADD", ("XADD", "bigstream", "*", "field", "value"), "stream", weight=2),
    Row("XREADGROUP+XACK", ("XREADGROUP",), "stream", weight=8, driver=read_and_acknowledge),
    Row("PFADD", ("PFADD", "hll", "element:__rand_int__"), "sketch"),
    Row("BITCOUNT of 1 MB", ("BITCOUNT", "bits"), "bitmap", weight=100),
    Row("GEOSEARCH in 1M", ("GEOSEARCH", "geo", "FROMMEMBER", "p:__rand_int__", "BYRADIUS", "10", "km", "ASC", "COUNT",
                            "10"),
        "geo", weight=100),
)


def _chunks(command: str, key: str, count: int, member: Callable[[int], tuple[str, ...]],
            width: int = 500) -> Iterable[bytes]:
    """One command with many members each, until `count` members are written."""
    for start in range(0, count, width):
        parts = [part for number in range(start, min(count, start + width)) for part in member(number)]
        yield encode(command, key, *parts)


def fill_strings(server: Server) -> None:
    fill_keys(server, KEY_COUNT, VALUE)
    fill_keys(server, KEY_COUNT, b"10000", b"cnt:")
    connection = server.connect()
    connection.command("SCRIPT", "LOAD", SET_AND_GET)
    connection.close()


def fill_hashes(server: Server) -> None:
    fields = [part for number in range(10) for part in (f"field:{number}", f"value{number}")]
    fill(server, (encode("HSET", f"hsh:{number:012d}", *fields) for number in range(SMALL_COUNT)))


def fill_geo(server: Server) -> None:
    generator = random.Random(7)
    fill(server, _chunks("GEOADD", "geo", KEY_COUNT, lambda number: (
        f"{generator.uniform(0, 20):.6f}", f"{generator.uniform(30, 50):.6f}", f"p:{number:012d}")))


def fill_list(server: Server) -> None:
    fill(server, _chunks("RPUSH", "biglist", KEY_COUNT, lambda number: (f"element:{number:08d}",)))
    fill(server, _chunks("RPUSH", "somelist", 1000, lambda number: (f"element:{number:08d}",)))


FILLINGS: dict[str, Callable[[Server], None]] = {
    "strings": fill_strings,
    "hashes": fill_hashes,
    "set": lambda server: fill(server, _chunks("SADD", "bigset", KEY_COUNT, lambda number: (f"member:{number:012d}",))),
    "sorted set": lambda server: fill(server, _chunks(
        "ZADD", "bigzset", KEY_COUNT, lambda number: (str(number), f"member:{number:012d}"))),
    "list": fill_list,
    "stream": lambda server: fill(server, (encode("XADD", "bigstream", "*", "field", "value") for _ in range(1000))),
    "sketch": lambda server: fill(server, [encode("PFADD", "hll", "first")]),
    "bitmap": lambda server: fill(server, [encode("SET", "bits", b"\x55\xaa\x01\xff" * (1 << 18))]),
    "geo": fill_geo,
}
SUITES: dict[str, tuple[Row, ...]] = {"base": BASE, "types": TYPES, "messages": MESSAGES}
