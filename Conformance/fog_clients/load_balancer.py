"""The LoadBalancer and coordinator of seed 000 over FOG.NODE, FOG.LB, FOG.BREAKER, FOG.ROUTE and FOG.SCALE."""
from __future__ import annotations

import statistics
from collections import Counter
from typing import Any

from support import Client, equal, expect, has, pairs


class LoadBalancer:
    """The seed's class: every decision is the server's."""

    def __init__(self, client: Client, algorithm: str) -> None:
        self.client = client
        self.algorithm = algorithm

    def select_node(self, *options: str, session_id: str | None = None) -> str | None:
        words = ["ALGO", self.algorithm, *options]
        if session_id is not None:
            words += ["SESSION", session_id]
        return self.client.execute_command("FOG.LB", "SELECT", *words)

    def record_request_start(self, node: str) -> int:
        return self.client.execute_command("FOG.LB", "BEGIN", node)

    def record_request_end(self, node: str, success: bool, response_time_ms: float | None = None) -> dict[str, Any]:
        words: list[str | float] = ["OK" if success else "FAIL"]
        if response_time_ms is not None:
            words += ["RT", response_time_ms]
        return pairs(self.client.execute_command("FOG.LB", "END", node, *words))


def register(client: Client, count: int, prefix: str = "node", **fields: Any) -> list[str]:
    names = [f"{prefix}-{index}" for index in range(count)]
    for name in names:
        words: list[Any] = []
        for field, value in fields.items():
            words += [field.upper(), value]
        client.execute_command("FOG.NODE", "REGISTER", name, *words)
    return names


def even_shares(client: Client) -> None:
    """LB-01: ten nodes, a thousand choices in turn: a hundred each."""
    register(client, 10)
    balancer = LoadBalancer(client, "round_robin")
    shares = Counter(balancer.select_node() for _ in range(1000))
    equal(sorted(shares.values()), [100] * 10, "shares by turns")


def sticky_sessions(client: Client) -> None:
    """LB-06: one session, one node; without one of ten nodes about a tenth of the sessions move."""
    balancer = LoadBalancer(client, "consistent_hash")
    before = {f"s{index}": balancer.select_node(session_id=f"s{index}") for index in range(500)}
    equal({s: balancer.select_node(session_id=s) for s in before}, before, "the same node again")
    gone = "node-3"
    client.execute_command("FOG.NODE", "DEL", gone)
    after = {s: balancer.select_node(session_id=s) for s in before}
    moved = [s for s in before if before[s] != after[s]]
    expect(all(before[s] == gone for s in moved), "only sessions of the node that went may move")
    expect(len(moved) < 100, f"{len(moved)} of 500 sessions moved")


def breaker(client: Client) -> None:
    """CB-01, CB-05: healthy, degraded, unhealthy, open after five failures."""
    client.execute_command("FOG.NODE", "REGISTER", "shaky", "REGION", "breaker")
    balancer = LoadBalancer(client, "round_robin")
    states = []
    for _ in range(5):
        balancer.record_request_start("shaky")
        balancer.record_request_end("shaky", False)
        states.append(pairs(client.execute_command("FOG.BREAKER", "GET", "shaky"))["state"])
    equal(states, ["DEGRADED", "DEGRADED", "UNHEALTHY", "UNHEALTHY", "CIRCUIT_OPEN"], "states")
    equal(balancer.select_node("REGION", "breaker"), None, "a choice with the circuit open")


def least_connections(client: Client) -> None:
    """LB-04: five requests on A: the next goes to B."""
    register(client, 2, "busy", region="least")
    balancer = LoadBalancer(client, "least_connections")
    for _ in range(5):
        balancer.record_request_start("busy-0")
    equal(balancer.select_node("REGION", "least"), "busy-1", "the idle node")


def routing(client: Client) -> None:
    """LB-09, TQ-09: a task is routed, its assignment is a task of the node."""
    register(client, 4, "route", region="route", cap=25)
    nodes = []
    for index in range(100):
        route = pairs(client.execute_command("FOG.ROUTE", f"routed-{index}", "REGION", "route"))
        nodes.append(route["node"])
    equal(sorted(Counter(nodes).values()), [25, 25, 25, 25], "routes within the capacities")
    expect(statistics.pstdev(Counter(nodes).values()) == 0, "an even distribution")
    task = pairs(client.execute_command("FOG.TASK", "GET", "routed-0"))
    equal((task["node"], task["status"]), (nodes[0], "assigned"), "the assignment")


def run(client: Client) -> str:
    if not has(client, "FOG.LB"):
        return "nothing: this server has no FOG.LB"
    for part in [even_shares, sticky_sessions, breaker, least_connections, routing]:
        part(client)
    return "turns, sessions, breaker, connections, routes"
