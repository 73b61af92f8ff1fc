"""Seed 003's API gateway as an example: HTTP in front of three back-ends, every decision asked of the server by FOG.*.

It chooses back-ends (LB-15, LB-17), which the server probes (LB-16), takes tasks and tells their statistics (TQ-05,
TQ-08), makes keys invalid (GW-03) and shows the coordinator's counters as a Prometheus page (LB-18, CB-06, FC-04,
FC-16). The server itself speaks RESP only.
"""
from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable
from urllib.parse import parse_qs, urlsplit

from support import Client, another, equal, eventually, expect, pairs

PROBE_SECONDS = 1
STRATEGIES = ["round_robin", "weighted", "least_connections"]


class Service:
    """An HTTP server on a thread of its own; `answer` makes (status, body) of (method, target, body)."""

    def __init__(self, answer: Callable[[str, str, bytes], tuple[int, Any]], port: int = 0) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, found = answer(self.command, self.path, body)
                text = found.encode() if isinstance(found, str) else json.dumps(found).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(text)
                self.close_connection = True

            do_GET = do_POST = handle_any

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def fetch(port: int, path: str, body: bytes | None = None) -> tuple[int, str]:
    """One request; (status, text)."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", body, timeout=5) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Gateway:
    """The balancer: a thin layer of HTTP over the commands."""

    def __init__(self, client: Client, pool: str) -> None:
        self.client = client
        self.pool = pool
        self.chosen: Counter[tuple[str, str]] = Counter()
        self.service = Service(self.answer)

    # Requests.

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, Any]:
        parts = urlsplit(target)
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if method == "GET" and parts.path == "/fog/select":
            return self.select(options)
        if method == "POST" and parts.path == "/fog/task":
            priority = options.get("priority", "normal")
            task = self.client.execute_command("FOG.TASK", "ENQUEUE", "http", body, "PRIORITY", priority)
            return 202, {"id": task}
        if method == "GET" and parts.path == "/fog/stats/tasks":
            found = pairs(self.client.execute_command("FOG.TASK", "STATS", "http"))
            found["queued"] = pairs(found["queued"])
            return 200, found
        if method == "POST" and parts.path == "/cache/invalidate":
            return 200, {"removed": self.client.execute_command("FOG.INVALIDATE", "KEY", json.loads(body)["key"])}
        if method == "GET" and parts.path == "/metrics":
            return 200, self.metrics()
        return self.forward(target)

    def select(self, options: dict[str, str]) -> tuple[int, Any]:
        strategy = options.get("strategy", "least_connections")
        node = self.client.execute_command("FOG.LB", "SELECT", "ALGO", strategy, "POOL", self.pool)
        if node is None:
            return 503, {"error": "no back-end is available"}
        self.chosen[node, strategy] += 1
        return 200, {"node": node, "addr": self.client.hget(f"fog:node:{node}", "addr")}

    def forward(self, target: str) -> tuple[int, Any]:
        """The request goes to a back-end; how it went goes to the balancer."""
        node = self.client.execute_command("FOG.LB", "SELECT", "POOL", self.pool, "BEGIN")
        if node is None:
            return 503, {"error": "no back-end is available"}
        self.chosen[node, "least_connections"] += 1
        began = time.perf_counter()
        address = self.client.hget(f"fog:node:{node}", "addr")
        try:
            status, text = fetch(int(address.split(":")[1]), target)
        except OSError:
            status, text = 502, json.dumps({"error": f"{node} does not answer"})
        milliseconds = (time.perf_counter() - began) * 1000
        self.client.execute_command("FOG.LB", "END", node, "OK" if status < 500 else "FAIL", "RT", milliseconds)
        return status, text

    def metrics(self) -> str:
        """The Prometheus page."""
        lines = [f'fog_lb_selected_total{{node="{node}",algo="{algo}"}} {count}'
                 for (node, algo), count in self.chosen.items()]
        for row in self.client.execute_command("FOG.LB", "STATS"):
            node = pairs(row)
            lines += [f'fog_lb_active{{node="{node["node"]}"}} {node["active"]}',
                      f'fog_lb_rt_ms{{node="{node["node"]}"}} {node["rt_ms"]}']
        circuits = pairs(pairs(self.client.execute_command("FOG.STATS", "LB"))["circuit_breaker"])
        cache = pairs(self.client.execute_command("FOG.STATS", "CACHE"))
        lines += [f"fog_breaker_open {circuits['open_circuits']}",
                  f"fog_breaker_failures_total {circuits['total_failures']}",
                  f"fog_cache_hit_ratio {float(cache['hit_rate']) / 100}",
                  f"fog_cache_requests_total {cache['hits'] + cache['misses']}",
                  f"fog_origin_loads_total {cache['leases_filled']}"]
        return "\n".join(lines) + "\n"

    def stop(self) -> None:
        self.service.stop()


class Backend:
    """One of the seed's gateway instances, which can be killed and started again at its port."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.served = 0
        self.service: Service | None = Service(self.answer)
        self.port = self.service.port

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, Any]:
        if target != "/health":
            self.served += 1
        return 200, {"served_by": self.name}

    def kill(self) -> None:
        if self.service:
            self.service.stop()
            self.service = None

    def start(self) -> None:
        self.service = Service(self.answer, self.port)


def strategies(gateway: Gateway) -> None:
    """LB-15: all three names of the seed."""
    for strategy in STRATEGIES:
        status, text = fetch(gateway.service.port, f"/fog/select?strategy={strategy}")
        expect(status == 200 and json.loads(text)["addr"].startswith("127.0.0.1:"), f"{strategy}: {status} {text}")


def rotation(gateway: Gateway, backends: list[Backend]) -> None:
    """LB-16, LB-17: three back-ends; one that is killed leaves within two probes, and comes back."""
    for _ in range(30):
        equal(fetch(gateway.service.port, "/data")[0], 200, "a request through the gateway")
    equal([backend.served for backend in backends], [10, 10, 10], "an even share for each back-end")
    victim = backends[1]
    victim.kill()
    key = f"fog:node:{victim.name}"
    eventually(lambda: gateway.client.hget(key, "status") == "failed", 2 * PROBE_SECONDS, "the killed one leaves")
    before = victim.served
    for _ in range(10):
        equal(fetch(gateway.service.port, "/data")[0], 200, "a request without it")
    equal(victim.served, before, "requests of the killed one")
    victim.start()
    eventually(lambda: gateway.client.hget(key, "status") == "active", 2 * PROBE_SECONDS, "it comes back")


def tasks(gateway: Gateway, client: Client) -> None:
    """TQ-05, TQ-08: a task by HTTP, and the statistics."""
    body = b'{"task_type":"cpu_intensive","duration":3}'
    status, text = fetch(gateway.service.port, "/fog/task?priority=high", body)
    equal(status, 202, "a task by HTTP")
    task = pairs(client.execute_command("FOG.TASK", "GET", json.loads(text)["id"]))
    equal(json.loads(task["payload"]), {"task_type": "cpu_intensive", "duration": 3}, "the task's payload")
    equal(task["priority"], "high", "its priority")
    found = json.loads(fetch(gateway.service.port, "/fog/stats/tasks")[1])
    equal(int(found["queued"]["high"]), 1, "queued tasks by HTTP")


def pages(gateway: Gateway, client: Client) -> None:
    """GW-03, LB-18: invalidation and the page of counters."""
    client.set("my_data", "x")
    status, text = fetch(gateway.service.port, "/cache/invalidate", b'{"key":"my_data"}')
    equal((status, json.loads(text)["removed"], client.get("my_data")), (200, 1, None), "invalidation by HTTP")
    lines = dict(line.rsplit(" ", 1) for line in fetch(gateway.service.port, "/metrics")[1].splitlines())
    total = sum(float(value) for name, value in lines.items() if name.startswith("fog_lb_selected_total"))
    equal(total, sum(gateway.chosen.values()), "choices on the page")
    for name in ["fog_breaker_open", "fog_cache_hit_ratio", "fog_origin_loads_total", 'fog_lb_rt_ms{node="gw-0"}']:
        expect(name in lines, f"{name} is on the page")


def run(client: Client) -> str:
    backends = [Backend(f"gw-{index}") for index in range(3)]
    for backend in backends:
        client.execute_command("FOG.NODE", "REGISTER", backend.name, "POOL", "gateways", "ADDR",
                               f"127.0.0.1:{backend.port}")
    client.config_set("fog-probe", "http")
    client.config_set("fog-probe-interval", PROBE_SECONDS)
    gateway = Gateway(another(client), "gateways")
    try:
        strategies(gateway)
        rotation(gateway, backends)
        tasks(gateway, client)
        pages(gateway, client)
    finally:
        gateway.stop()
        for backend in backends:
            backend.kill()
    return "three back-ends behind a gateway: strategies, probes, tasks, invalidation, counters"
