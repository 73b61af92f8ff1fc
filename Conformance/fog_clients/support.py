"""What the example clients share: expectations that end a client, and waiting for what comes soon."""
from __future__ import annotations

import json
import time
from typing import Any, Callable

import redis

Client = redis.Redis


class Failed(AssertionError):
    """An example client saw something else than its row of the mission says."""


def expect(condition: bool, text: str) -> None:
    if not condition:
        raise Failed(text)


def equal(found: Any, wanted: Any, what: str) -> None:
    expect(found == wanted, f"{what}: {found!r}, not {wanted!r}")


def refused(prefix: str, call: Callable[[], Any]) -> None:
    """The call must be refused with an error that starts with `prefix`."""
    try:
        reply = call()
    except redis.ResponseError as error:
        expect(str(error).startswith(prefix), f"refused with {error}, not {prefix}")
        return
    raise Failed(f"answered {reply!r}, not refused with {prefix}")


def eventually(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < deadline, f"not within {seconds} s: {what}")
        time.sleep(0.01)


def pairs(reply: Any) -> dict[str, Any]:
    """A map, which RESP2 sends as a flat list."""
    if isinstance(reply, dict):
        return reply
    return dict(zip(reply[::2], reply[1::2]))


def another(client: Client) -> Client:
    """A connection of its own to the same server, as another process would have it."""
    options = client.connection_pool.connection_kwargs
    return redis.Redis(port=options["port"], protocol=options["protocol"], decode_responses=True)


def has(client: Client, command: str) -> bool:
    """Whether the server knows the command: areas of the coordinator arrive one by one."""
    info = client.execute_command("COMMAND", "INFO", command)
    if isinstance(info, dict):
        return bool(info)
    return bool(info) and info[0] is not None


class Events:
    """Listens to `fog:events`."""

    def __init__(self, client: Client) -> None:
        self.pubsub = client.pubsub(ignore_subscribe_messages=True)
        self.pubsub.subscribe("fog:events")
        # Takes the confirmation, so that what follows is heard.
        self.pubsub.get_message(timeout=5)

    def take(self, count: int, seconds: float = 5.0) -> list[dict[str, Any]]:
        """The next `count` events, parsed."""
        events: list[dict[str, Any]] = []
        deadline = time.monotonic() + seconds
        while len(events) < count and time.monotonic() < deadline:
            message = self.pubsub.get_message(timeout=0.2)
            if message:
                events.append(json.loads(message["data"]))
        return events

    def close(self) -> None:
        self.pubsub.close()
