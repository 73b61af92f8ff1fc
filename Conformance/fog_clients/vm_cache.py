"""The VM cache manager of seed 002 over FOG.VM, FOG.INVALIDATE and FOG.CACHE (rows VM-01 to VM-12, DC-01 to DC-06)."""
from __future__ import annotations

import json
import time
from typing import Any

import redis

from support import Client, Events, equal, expect, pairs

LIFETIMES = {"STATE": 30, "RESOURCES": 120, "MIGRATION": 60, "METRICS": 15, "CONFIG": 900}


class VMCacheManager:
    """The seed's manager, as a thin layer over the commands."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def set_facet(self, vm: str, facet: str, value: dict[str, Any]) -> None:
        self.client.execute_command("FOG.VM", "SET", vm, facet, json.dumps(value))

    def get_facet(self, vm: str, facet: str) -> Any:
        text = self.client.execute_command("FOG.VM", "GET", vm, facet)
        return None if text is None else json.loads(text)

    def set_vm_state(self, vm: str, state: dict[str, Any]) -> None:
        self.set_facet(vm, "STATE", state)

    def get_vm_state(self, vm: str) -> Any:
        return self.get_facet(vm, "STATE")

    def get_multiple_vm_states(self, vms: list[str]) -> list[Any]:
        texts = self.client.execute_command("FOG.VM", "MGET", "STATE", *vms)
        return [None if text is None else json.loads(text) for text in texts]

    def set_node_resources(self, node: str, **fields: Any) -> None:
        words = [word for item in fields.items() for word in item]
        self.client.execute_command("FOG.VM", "NODE", node, *words)

    def on_vm_state_change(self, vm: str, old: str, new: str) -> int:
        return self.client.execute_command("FOG.VM", "EVENT", vm, "STATE", old, new)

    def on_vm_created(self, vm: str, node: str) -> int:
        return self.client.execute_command("FOG.VM", "EVENT", vm, "CREATED", node)

    def on_vm_deleted(self, vm: str, node: str) -> int:
        return self.client.execute_command("FOG.VM", "EVENT", vm, "DELETED", node)

    def on_vm_resource_change(self, vm: str) -> int:
        return self.client.execute_command("FOG.VM", "EVENT", vm, "RESOURCE")

    def invalidate_vm_pattern(self, pattern: str) -> int:
        return self.client.execute_command("FOG.INVALIDATE", "PATTERN", pattern)

    def invalidate_node(self, node: str) -> int:
        return self.client.execute_command("FOG.INVALIDATE", "NODE", node)

    def invalidate_cluster(self) -> int:
        return self.client.execute_command("FOG.INVALIDATE", "CLUSTER")


class CachedVMManager:
    """The seed's wrapper (VM-11, VM-12): reads come from the cache; of all who miss, one asks the database."""

    def __init__(self, client: Client, database: dict[str, dict[str, Any]]) -> None:
        self.client = client
        self.database = database
        self.loads = 0

    def read_through(self, key: str, seconds: int) -> Any:
        found = pairs(self.client.execute_command("FOG.CACHE", "FETCH", key, "WAIT", 5000))
        if found["state"] != "lease":
            return json.loads(found["value"])
        self.loads += 1
        value = self.database[key]
        self.client.execute_command("FOG.CACHE", "FILL", key, found["token"], json.dumps(value), "EX", seconds)
        return value

    def get_vm(self, vm: str) -> Any:
        return self.read_through(f"vm:config:{vm}", LIFETIMES["CONFIG"])

    def get_vm_state(self, vm: str) -> Any:
        return self.read_through(f"vm:state:{vm}", LIFETIMES["STATE"])

    def get_vm_metrics(self, vm: str) -> Any:
        return self.read_through(f"vm:metrics:{vm}", LIFETIMES["METRICS"])

    def get_user_vms(self, user: str) -> Any:
        return self.read_through(f"user:vms:{user}", 60)


def read_through(client: Client) -> None:
    database = {"vm:config:9": {"cpu": 4}, "vm:state:9": {"state": "running"}, "vm:metrics:9": {"cpu": 0.5},
                "user:vms:ada": {"vms": ["9"]}}
    manager = CachedVMManager(client, database)
    for _ in range(3):
        equal(manager.get_vm("9"), {"cpu": 4}, "GetVM")
        equal(manager.get_vm_state("9"), {"state": "running"}, "GetVMState")
        equal(manager.get_vm_metrics("9"), {"cpu": 0.5}, "GetVMMetrics")
        equal(manager.get_user_vms("ada"), {"vms": ["9"]}, "GetUserVMs")
    equal(manager.loads, 4, "loads from the database")
    # A change of state makes its facets be read again.
    VMCacheManager(client).on_vm_state_change("9", "running", "stopped")
    database["vm:state:9"] = {"state": "stopped"}
    equal(manager.get_vm_state("9"), {"state": "stopped"}, "the state after its change")
    equal(manager.loads, 5, "loads after the change")


def critical_machines(client: Client) -> None:
    """CW-02: the listed keys stay for three intervals although twenty times as much as there is room for is written."""
    client.config_set("fog-warmup-interval", 1)
    client.mset({"vm-prod-1": "x", "vm-prod-2": "x", "vm-db-1": "x"})
    client.execute_command("FOG.WARM", "ADD", "critical", "vm-prod-1", "vm-prod-2", "vm-db-*")
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.config_set("maxmemory", int(client.info("memory")["used_memory"]) + 2_000_000)
    began = time.monotonic()
    written = 0
    while time.monotonic() - began < 3.2 or written < 40_000:
        client.mset({f"cold:{written + index}": "y" * 1000 for index in range(100)})
        written += 100
        time.sleep(0.008)
    equal(client.exists("vm-prod-1", "vm-prod-2", "vm-db-1", "fog:warm:critical"), 4, "warm keys that stayed")
    # Which of the others stay is eviction's choice: what was there first has passed its probation, what came later not.
    expect(client.dbsize() < 4_000 and client.info("stats")["evicted_keys"] > 20_000, "others went")
    client.config_set("maxmemory", 0)
    client.config_set("fog-warmup-interval", 300)


def facets(manager: VMCacheManager) -> None:
    state = {"id": "vm-123", "state": "running", "type": "kvm"}
    manager.set_vm_state("vm-123", state)
    equal(manager.get_vm_state("vm-123"), state, "the state read back")
    for facet, seconds in LIFETIMES.items():
        manager.set_facet("vm-1", facet, {"facet": facet})
        left = manager.client.ttl(f"vm:{facet.lower()}:vm-1")
        expect(seconds - 1 <= left <= seconds, f"{facet} lives {seconds} s, not {left}")
    equal(manager.get_multiple_vm_states(["vm-123", "vm-9"]), [state, None], "several states")
    manager.set_node_resources("node-1", cpu=64, memory=512)
    expect(29 <= manager.client.ttl("node:resources:node-1") <= 30, "a node's resources live 30 s")
    node = pairs(manager.client.execute_command("FOG.VM", "NODE", "node-1"))
    equal(node, {"cpu": "64", "memory": "512"}, "a node's resources read back")


def lifecycle(manager: VMCacheManager, client: Client) -> None:
    events = Events(client)
    for facet in LIFETIMES:
        manager.set_facet("vm-123", facet, {})
    equal(manager.on_vm_state_change("vm-123", "running", "stopped"), 2, "state and metrics go")
    equal(client.exists("vm:state:vm-123", "vm:metrics:vm-123"), 0, "they are gone")
    manager.set_node_resources("node-1", cpu=1)
    equal(manager.on_vm_created("vm-5", "node-1"), 1, "the node's resources go")
    manager.set_node_resources("node-1", cpu=1)
    equal(manager.on_vm_resource_change("vm-123"), 2, "resources of machine and nodes go")
    manager.set_vm_state("vm-123", {})
    equal(manager.on_vm_deleted("vm-123", "node-1"), 3, "all facets that were left")
    equal(client.keys("vm:*:vm-123"), [], "no facet is left")
    types = [event["type"] for event in events.take(4)]
    equal(types, ["VM_STATE_CHANGED", "VM_CREATED", "VM_RESOURCE_CHANGED", "VM_DELETED"], "the events")
    client.execute_command("FOG.EVENT", "RULE", "SET", "VM_CREATED", "PATTERN", "user:vms:*")
    client.set("user:vms:7", "[]")
    equal(manager.on_vm_created("vm-6", "node-1"), 1, "a rule of one's own")
    client.execute_command("FOG.EVENT", "RULE", "DEL", "VM_CREATED")


def invalidation(manager: VMCacheManager, client: Client) -> None:
    client.mset({f"vm:state:b:{index}": "x" for index in range(500)})
    equal(manager.invalidate_vm_pattern("vm:state:b:*"), 500, "InvalidateVMPattern")
    manager.set_node_resources("node-1", cpu=1)
    client.set("node:vms:node-1", "[]")
    equal(manager.invalidate_node("node-1"), 2, "InvalidateNode")
    manager.invalidate_cluster()
    client.mset({"vm:config:1": "x", "node:resources:2": "x", "user:vms:1": "x", "other": "x"})
    equal(manager.invalidate_cluster(), 3, "InvalidateCluster")
    equal(client.exists("other"), 1, "other keys stay")


def run(client: redis.Redis) -> str:
    manager = VMCacheManager(client)
    facets(manager)
    lifecycle(manager, client)
    invalidation(manager, client)
    read_through(client)
    critical_machines(client)
    return "five facets with their lifetimes, four events and their rules, three kinds of invalidation, read-through by leases, warm keys"
