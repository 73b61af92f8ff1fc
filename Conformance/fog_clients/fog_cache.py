"""The coordinator cache of seed 000 (FogCache) over FOG.CACHE, FOG.INVALIDATE and stock commands (rows FC-01 to FC-17,
MT-12, MT-14, SF-01, CW-01)."""
from __future__ import annotations

import json
import threading
import time
from typing import Any

import redis

from support import Client, another, equal, eventually, expect, pairs, refused


class FogCache:
    """The seed's cache, as a thin layer over the commands."""

    def __init__(self, client: Client, default_ttl: int = 300, key_prefix: str = "fog:") -> None:
        self.client = client
        self.default_ttl = default_ttl
        self.prefix = key_prefix

    def connect(self) -> bool:
        return bool(self.client.ping())

    def set(self, key: str, value: Any, *tags: str, ttl: int | None = None) -> None:
        words = ["FOG.CACHE", "SET", self.prefix + key, json.dumps(value), "EX", ttl or self.default_ttl,
                 "CONTENT", "json"]
        self.client.execute_command(*words, *(["TAG", *tags] if tags else []))

    def get(self, key: str) -> Any:
        text = self.client.execute_command("FOG.CACHE", "GET", self.prefix + key)
        return None if text is None else json.loads(text)

    def batch_set(self, items: dict[str, Any]) -> None:
        words = [word for key, value in items.items() for word in (self.prefix + key, json.dumps(value))]
        self.client.execute_command("FOG.CACHE", "MSET", self.default_ttl, *words)

    def batch_get(self, keys: list[str]) -> dict[str, Any]:
        texts = self.client.execute_command("FOG.CACHE", "MGET", *(self.prefix + key for key in keys))
        return {key: json.loads(text) for key, text in zip(keys, texts) if text is not None}

    def get_or_load(self, key: str, load: Any, *tags: str) -> tuple[Any, bool]:
        """Cache first, then the source; of all who miss together one loads. Whether this one did."""
        while True:
            reply = pairs(self.client.execute_command("FOG.CACHE", "FETCH", self.prefix + key, "WAIT", 5000))
            if reply["state"] in ("hit", "stale"):
                return json.loads(reply["value"]), False
            if reply["state"] == "lease":
                value = load()
                words = ["FOG.CACHE", "FILL", self.prefix + key, reply["token"], json.dumps(value)]
                self.client.execute_command(*words, *(["TAG", *tags] if tags else []))
                return value, True

    def warm_cache(self, items: dict[str, Any]) -> int:
        words = [word for key, value in items.items() for word in (self.prefix + key, json.dumps(value))]
        return self.client.execute_command("FOG.WARM", "LOAD", "TTL", self.default_ttl, *words)

    def delete(self, key: str) -> int:
        return self.client.execute_command("FOG.INVALIDATE", "KEY", self.prefix + key)

    def clear(self, pattern: str) -> int:
        return self.client.execute_command("FOG.INVALIDATE", "PATTERN", self.prefix + pattern)

    def get_metrics(self) -> dict[str, Any]:
        return pairs(self.client.execute_command("FOG.STATS", "CACHE"))


def values(cache: FogCache) -> None:
    equal(cache.connect(), True, "PING")
    cache.set("node-123", {"cpu": 50, "status": "active"})
    equal(cache.get("node-123"), {"cpu": 50, "status": "active"}, "a value read back")
    expect(299 <= cache.client.ttl("fog:node-123") <= 300, "the default lifetime is 300 s")
    cache.client.set("x", 1)
    equal(cache.client.ttl("x"), -1, "a plain SET stays for ever")
    nodes = {f"node-{index}": {"cpu": index} for index in range(100)}
    cache.batch_set(nodes)
    equal(cache.batch_get(list(nodes)), nodes, "100 values set and read at once")
    cache.client.execute_command("FOG.CACHE", "MSETX", 2, "key1", "a", 300, "key2", "b", 600)
    expect(cache.client.ttl("key1") <= 300 < cache.client.ttl("key2") <= 600, "each key has its own lifetime")
    equal(pairs(cache.client.execute_command("FOG.CACHE", "META", "fog:node-123"))["content"], "json", "CONTENT")
    equal(cache.warm_cache({"node-123": 0, "cold": 1}), 1, "warming leaves what is there")
    settings = cache.client.config_get("fog-*")
    for name in ("fog-default-ttl", "fog-l1-capacity", "fog-key-prefix"):
        expect(name in settings, f"CONFIG GET shows {name}")


def invalidation(cache: FogCache) -> None:
    cache.client.set("short", "x", px=50)
    eventually(lambda: cache.client.exists("short") == 0, 0.2, "a key dies of age")
    equal(cache.delete("node-123"), 1, "delete(key)")
    equal(cache.delete("node-123"), 0, "delete(key) again")
    equal(cache.clear("node-*"), 100, "clear(pattern)")
    for index in range(50):
        cache.set(f"p:{index}", index, "products", f"shop:{index % 5}")
    equal(cache.client.execute_command("FOG.INVALIDATE", "TAG", "shop:3"), 10, "a tag's keys")
    equal(cache.client.execute_command("FOG.INVALIDATE", "TAG", "products"), 40, "the other tag knows")
    equal(cache.get("p:1"), None, "an invalidated value is not served")
    equal(cache.client.mget("fog:p:1", "fog:p:2"), [None, None], "nor to stock commands")
    equal(cache.client.keys("fog:p:*"), [], "nor is it listed")


def metrics(cache: FogCache) -> None:
    cache.client.set("hot", "x")
    cache.client.config_resetstat()
    pipeline = cache.client.pipeline(transaction=False)
    for index in range(10_000):
        pipeline.get("hot" if index % 20 < 17 else "cold")
    pipeline.execute()
    found = cache.get_metrics()
    equal([found["hits"], found["misses"], float(found["hit_rate"])], [8500, 1500, 85.0], "the seed's figures")
    for name in ("lru_size", "lru_capacity", "connected", "evictions", "expired"):
        expect(name in found, f"FOG.STATS CACHE has {name}")


def single_flight(cache: FogCache) -> int:
    """Many clients miss one key together: one loads."""
    count = 100
    loads: list[int] = []
    results: list[Any] = []
    gate = threading.Barrier(count)

    def load() -> int:
        loads.append(1)
        time.sleep(0.05)
        return 42

    def client() -> None:
        own = FogCache(another(cache.client))
        gate.wait()
        results.append(own.get_or_load("answer", load)[0])

    threads = [threading.Thread(target=client) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(len(loads), 1, "loads of a key that all missed")
    equal(results, [42] * count, "what all of them got")
    reply = pairs(cache.client.execute_command("FOG.CACHE", "FETCH", "k"))
    refused("LEASELOST", lambda: cache.client.execute_command("FOG.CACHE", "FILL", "k", "1", "v"))
    cache.client.execute_command("FOG.INVALIDATE", "KEY", "k")
    refused("LEASELOST", lambda: cache.client.execute_command("FOG.CACHE", "FILL", "k", reply["token"], "v"))
    return count


def run(client: redis.Redis) -> str:
    cache = FogCache(client)
    values(cache)
    invalidation(cache)
    metrics(cache)
    count = single_flight(cache)
    return f"values, invalidation, metrics as seed 000 has them; {count} clients missed, 1 loaded"
