#!/usr/bin/env python3
"""Records are ordinary keys and indexes are derived from them: after random storms of FOG and plain commands (DEL,
expiry, RENAME, COPY, MOVE, SWAPDB, RESTORE, FLUSHDB, eviction, other types in their place) every FOG query answers what
it answers when all indexes are made anew from the keys. Then the data goes on: a second Fog loads the RDB file and the
append only file, and stock Redis 7.0 loads both and holds the same keys.

    FOG_SERVER=.build/release/fog-server python3 Conformance/fog_records.py [SEED [STORMS]]
"""
from __future__ import annotations

import random
import shutil
import sys
import time
from typing import Any

import redis

from keystate import read_everything
from servers import Server, fog_binary, redis_binary

OPTIONS = ["--fog-heartbeat-timeout", "0", "--fog-default-ttl", "3600", "--fog-warmup", "no", "--databases", "4",
           "--fog-auto-scaling", "no", "--enable-debug-command", "yes"]
STATUSES = ["active", "inactive", "draining", "maintenance", "failed"]
KINDS = ["node", "task", "queue", "gpu", "provider", "price", "booking", "order", "class", "warm"]
COMMANDS = 400


class Storm:
    """Random commands, the same for the same seed."""

    def __init__(self, client: redis.Redis, seed: int) -> None:
        self.client = client
        self.random = random.Random(seed)
        self.orders = 0
        self.flushes = True

    def pick(self, *items: Any) -> Any:
        return self.random.choice(items)

    def name(self, kind: str) -> str:
        return f"{kind[0]}{self.random.randrange(12)}"

    def key(self) -> str:
        kind = self.pick(*KINDS)
        if kind == "price":
            return f"fog:price:{self.pick('t0', 't1')}:{self.pick('r0', 'r1')}"
        return f"fog:{kind}:{self.name(kind)}"

    def fog(self) -> list[Any]:
        """A FOG command that writes."""
        market = [self.pick("t0", "t1"), self.pick("r0", "r1")]
        self.orders += 1
        node, task, gpu = self.name("node"), self.name("task"), self.name("gpu")
        queue, booking = self.name("queue"), self.name("booking")
        return self.pick(
            ["FOG.NODE", "REGISTER", node, "REGION", market[1], "TYPE", market[0], "STATUS", self.pick(*STATUSES)],
            ["FOG.NODE", "REGISTER", node, "CPU", self.random.randrange(100), "POOL", self.pick("p", "q")],
            ["FOG.NODE", "HEARTBEAT", node, "CPU", self.random.randrange(100)],
            ["FOG.NODE", "STATUS", node, self.pick(*STATUSES)],
            ["FOG.NODE", "DEL", node],
            ["FOG.ROUTE", task, "REGION", market[1]],
            ["FOG.TASK", "ENQUEUE", queue, "payload", "ID", task, "PRIORITY", self.pick("high", "low", "normal")],
            ["FOG.TASK", "CLAIM", queue, "w", "LEASE", 3_600_000],
            ["FOG.TASK", "ACK", task, "w"],
            ["FOG.TASK", "FAIL", task, "w", "RETRYIN", 3_600_000],
            ["FOG.TASK", "ASSIGN", task, node],
            ["FOG.TASK", "CONCURRENCY", queue, self.random.randrange(1, 5)],
            ["FOG.GPU", "SET", gpu, "TYPE", market[0], "REGION", market[1], "PROVIDER", self.name("provider"),
             "PRICE", self.random.randrange(1, 9), "PERF", self.random.randrange(50)],
            ["FOG.GPU", "STATUS", gpu, self.pick("available", "offline")],
            ["FOG.PRICE", "SET", *market, self.random.randrange(1, 9)],
            ["FOG.BOOK", "CREATE", booking, gpu, self.name("user")],
            ["FOG.BOOK", "CANCEL", booking],
            ["FOG.PROVIDER", "STATUS", self.name("provider"), self.pick("online", "maintenance")],
            ["FOG.ORDERBOOK", "ADD", self.pick("bid", "ask"), f"o{self.orders}", *market,
             self.random.randrange(1, 9), self.random.randrange(1, 5), "user"],
            ["FOG.ORDERBOOK", "CANCEL", f"o{self.random.randrange(1, self.orders + 1)}"],
            ["FOG.WARM", "ADD", self.name("warm"), f"k{self.random.randrange(9)}"],
            ["FOG.CLASS", "SET", self.name("class"), "PATTERN", f"c{self.random.randrange(9)}:*", "TTL", 60,
             "POLICY", self.pick("noeviction", "volatile-ttl", "allkeys-tinylfu")],
        )

    def plain(self) -> list[Any]:
        """A command that knows nothing of records."""
        key, other = self.key(), self.key()
        same_kind = key.rsplit(":", 1)[0] + ":" + self.pick("a", "b", key[-1])
        return self.pick(
            ["DEL", key], ["UNLINK", key], ["PEXPIRE", key, self.pick(3, 20, 3_600_000, 7_200_000)],
            ["EXPIRE", key, 3600], ["PERSIST", key], ["TOUCH", key], ["HSET", key, "note", "x"],
            ["RENAME", key, same_kind], ["RENAME", key, other], ["COPY", key, same_kind, "REPLACE"],
            ["MOVE", key, self.random.randrange(2)], ["SET", key, "text", "EX", 100],
            ["HSET", key, "status", self.pick("active", "available", "queued", "nonsense")],
            ["HSET", key, "region", self.pick("r0", "r1"), "type", self.pick("t0", "t1")],
            ["HDEL", key, "region", "status", "node"], ["HINCRBY", key, "cpu", 1],
            ["SORT", key, "BY", "nosort", "STORE", other],
            ["FOG.CACHE", "LABEL", key, "TAG", "tag"],
        )

    def step(self) -> None:
        roll = self.random.randrange(1000)
        if roll < 2 and self.flushes:
            words: list[Any] = ["FLUSHDB"]
        elif roll < 8:
            words = ["SWAPDB", self.random.randrange(2), self.random.randrange(2)]
        elif roll < 12:
            words = ["SELECT", self.random.randrange(2)]
        elif roll < 14:
            return self.evict()
        elif roll < 30:
            return self.restore()
        elif roll < 33:
            words = self.pick(["FOG.INVALIDATE", "TAG", "tag"], ["FOG.INVALIDATE", "PATTERN", "fog:gpu:g1*"])
        else:
            words = self.plain() if roll % 3 == 0 else self.fog()
        try:
            self.client.execute_command(*words)
        except redis.ResponseError as error:
            # A refusal is an answer; what must not come is anything that the server says of itself.
            assert "internal" not in str(error).lower(), (words, error)

    def evict(self) -> None:
        """Some keys go by eviction."""
        used = int(self.client.info("memory")["used_memory"])
        self.client.config_set("maxmemory-policy", "allkeys-random")
        self.client.config_set("maxmemory", max(1, used - 3000))
        time.sleep(0.02)
        self.client.config_set("maxmemory", 0)

    def restore(self) -> None:
        payload = self.client.dump(self.key())
        if payload is None:
            return
        try:
            self.client.restore(self.key(), self.pick(0, 3_600_000), payload, replace=True)
        except redis.ResponseError:
            pass


def tidy(reply: Any) -> Any:
    """A reply in which only what may differ is left out: the order of lists, and times of statistics."""
    if isinstance(reply, dict):
        return {key: tidy(value) for key, value in reply.items() if key not in IGNORED}
    if isinstance(reply, list):
        return sorted((tidy(item) for item in reply), key=repr)
    return reply


# Runtime state and times, which no key holds.
IGNORED = {"updated_ms", "avg_wait_ms", "avg_run_ms", "done", "failed", "leases_expired", "last_run_ms", "present",
           "expiring", "missing"}


def queries(client: redis.Redis) -> dict[str, Any]:
    """What FOG answers about the database, by the query."""
    lines = ["FOG.NODE COUNT", "FOG.NODE LIST", "FOG.NODE LIST WITHFIELDS", "FOG.TASK LIST", "FOG.GPU AVAIL",
             "FOG.GPU AVAIL SORT price", "FOG.GPU RANK BY perf", "FOG.MARKET STATS", "FOG.BOOK LIST",
             "FOG.CLASS LIST", "FOG.WARM STATUS", "FOG.NODE LIST STALE 0"]
    lines += [f"FOG.NODE LIST STATUS {status}" for status in STATUSES]
    lines += [f"FOG.NODE COUNT REGION {region} STATUS {status}" for region in ("r0", "r1") for status in STATUSES]
    lines += [f"FOG.NODE LIST TYPE {kind} POOL {pool}" for kind in ("t0", "t1") for pool in "pq"]
    lines += [f"FOG.TASK LIST STATUS {s}" for s in ("queued", "assigned", "running", "done", "failed", "dead")]
    lines += [f"FOG.TASK LIST NODE n{n}" for n in range(12)] + [f"FOG.TASK STATS q{n}" for n in range(12)]
    lines += [f"FOG.BOOK LIST GPU g{n}" for n in range(12)] + [f"FOG.PROVIDER GET p{n}" for n in range(12)]
    for kind in ("t0", "t1"):
        for region in ("r0", "r1"):
            lines += [f"FOG.ORDERBOOK GET {kind} {region}", f"FOG.PRICE GET {kind} {region}",
                      f"FOG.MARKET STATS TYPE {kind} REGION {region}", f"FOG.GPU AVAIL TYPE {kind} REGION {region}"]
    found = {}
    for line in lines:
        try:
            found[line] = tidy(client.execute_command(*line.split()))
        except redis.ResponseError as error:
            found[line] = str(error)
    return found


def all_queries(port: int) -> list[dict[str, Any]]:
    found = []
    for database in range(2):
        client = redis.Redis(port=port, db=database, protocol=3, decode_responses=True)
        client.response_callbacks.clear()
        found.append(queries(client))
        client.close()
    return found


def difference(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> str:
    for database, (left, right) in enumerate(zip(one, other)):
        for line, reply in left.items():
            if reply != right[line]:
                return f"database {database}, {line}:\n    {reply}\n    {right[line]}"
    return ""


def settle(client: redis.Redis) -> None:
    """Lets what dies soon die."""
    time.sleep(0.08)
    client.ping()


def start_with(server: Server, binary: Any, *options: str) -> Server:
    """Another server on a copy of the files."""
    other = Server.__new__(Server)
    other.binary, other.name, other.cores, other.defaults = binary, "copy", (), False
    other.options = ("--save", "", *options)
    other.folder = server.folder.parent / f"{server.folder.name}-copy"
    shutil.rmtree(other.folder, ignore_errors=True)
    shutil.copytree(server.folder, other.folder)
    other.port, other.process = 0, None
    other.start()
    return other


def keys_of(server: Server) -> dict[Any, Any]:
    """All keys with type and value; encodings and idle times are each server's own."""
    connection = server.connect()
    try:
        return {key: (state.type, state.value) for key, state in read_everything(connection, False).items()}
    finally:
        connection.close()


def main() -> int:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(1 << 30)
    storms = int(sys.argv[2]) if len(sys.argv) > 2 else 12
    print(f"seed {seed}")
    failed: list[str] = []

    def check(name: str, problem: str) -> None:
        if problem:
            failed.append(name)
            print(f"FAILED | {name}: {problem}", flush=True)

    with Server(fog_binary(), "--appendonly", "yes", *OPTIONS) as server:
        client = redis.Redis(port=server.port)
        single = redis.Redis(port=server.port, single_connection_client=True)
        storm = Storm(single, seed)
        for number in range(storms):
            # The last ones leave data for the files.
            storm.flushes = number < storms // 2
            for _ in range(COMMANDS):
                storm.step()
            settle(client)
            before = all_queries(server.port)
            client.execute_command("DEBUG", "RELOAD")
            check(f"storm {number}: indexes against new ones", difference(before, all_queries(server.port)))
        total = sum(len(str(part)) for part in before)
        print(f"ok: {storms} storms of {COMMANDS} commands, {len(before[0])} queries in each of 2 databases"
              f" ({total} bytes of replies at the end)" if not failed else "")
        settle(client)
        client.config_set("appendfsync", "always")
        client.set("last", "1")
        before = all_queries(server.port)
        keys = keys_of(server)
        client.save()
        for name, binary, options in [
            ("Fog loads the RDB file", fog_binary(), [*OPTIONS, "--appendonly", "no"]),
            ("Fog loads the append only file", fog_binary(), [*OPTIONS, "--appendonly", "yes"]),
            ("Redis 7.0 loads the RDB file", redis_binary(), ["--databases", "4", "--appendonly", "no"]),
            ("Redis 7.0 loads the append only file", redis_binary(), ["--databases", "4", "--appendonly", "yes"]),
        ]:
            other = start_with(server, binary, *options)
            try:
                found = keys_of(other)
                wrong = [key for key in keys.keys() | found.keys() if keys.get(key) != found.get(key)]
                check(name, f"{len(wrong)} keys differ, {wrong[:3]}" if wrong else "")
                if binary.name == "fog":
                    check(f"{name}: queries", difference(before, all_queries(other.port)))
                print(f"ok: {name}, {len(keys)} keys" if not failed else "", flush=True)
            finally:
                other.stop()
    print(f"{'FAILED' if failed else 'ok'}: seed {seed}, {len(failed)} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
