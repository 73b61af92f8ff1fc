"""The hybrid cache of seed 000 (a small L1 of raw values over an L2) by the server's own tiers: rows FC-01, FC-02, FC-14."""
from __future__ import annotations

import json
from typing import Any

from support import Client, equal, eventually, expect, pairs

L1_CAPACITY = 5000
KEYS = 6000


def record(index: int) -> str:
    """A value of some 200 bytes that repeats itself as records do."""
    return json.dumps({"id": f"node-{index}", "region": "eu-west", "status": "active", "cpu": index % 100,
                       "labels": {"pool": "default", "rack": f"r{index % 40}", "owner": "fleet@example.com"},
                       "endpoint": f"https://node-{index}.eu-west.example.com:8443/health"})


def tiers(client: Client) -> dict[str, Any]:
    return {name: pairs(value) for name, value in pairs(client.execute_command("FOG.TIER", "INFO")).items()
            if name in ("l1", "l2", "moves")}


def lru_size(client: Client) -> int:
    return int(pairs(client.execute_command("FOG.STATS", "CACHE"))["lru_size"])


def overflow(client: Client) -> int:
    """L1 is filled past its capacity: what it has no room for is compressed, and nothing is lost."""
    pipeline = client.pipeline(transaction=False)
    for index in range(KEYS):
        pipeline.set(f"node:{index}", record(index))
    pipeline.execute()
    eventually(lambda: lru_size(client) == L1_CAPACITY, 10, "L1 holds as many values as it may")
    places = [client.execute_command("FOG.TIER", "GET", f"node:{index}") for index in range(KEYS)]
    equal(places.count("L1"), L1_CAPACITY, "keys in L1")
    equal(places.count("L2"), KEYS - L1_CAPACITY, "keys in L2")
    equal(client.dbsize(), KEYS, "keys in all")
    return places.index("L2")


def hits(client: Client, below: int) -> None:
    """A read counts in the tier that served it."""
    client.set("fresh", record(1))
    before = tiers(client)
    client.get("fresh")
    client.get("fresh")
    after = tiers(client)
    equal(int(after["l1"]["hits"]) - int(before["l1"]["hits"]), 2, "two reads of a raw value")
    equal(after["l2"]["hits"], before["l2"]["hits"], "L2 was not asked")
    equal(client.get(f"node:{below}"), record(below), "a value in L2 is served")
    equal(int(tiers(client)["l2"]["hits"]) - int(before["l2"]["hits"]), 1, "a read of a compressed value")


def run(client: Client) -> str:
    client.config_set("fog-compress", "yes")
    client.config_set("fog-l1-capacity", L1_CAPACITY)
    client.config_set("fog-l1-cleanup", 1)
    below = overflow(client)
    hits(client, below)
    for index in range(KEYS):
        expect(client.get(f"node:{index}") == record(index), f"node:{index} reads as it was written")
    found = tiers(client)["l2"]
    return f"{L1_CAPACITY} of {KEYS} raw, the others compressed {float(found['warm_ratio']):.1f} times; all read back"
