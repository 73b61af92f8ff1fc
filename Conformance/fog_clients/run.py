"""Starts a server and runs every example client against it, over RESP2 and RESP3; ends with 1 when one failed.

    FOG_SERVER=path python fog_clients/run.py [NAME...]
"""
from __future__ import annotations

import sys
import time
import traceback
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent)]

import redis  # noqa: E402
from servers import Server, fog_binary  # noqa: E402

NOT_CLIENTS = {"__init__", "run", "support", "benchmark_fog_layer"}


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in NOT_CLIENTS)


def run(name: str, protocol: int) -> bool:
    """One client, on a server of its own."""
    began = time.monotonic()
    with Server(fog_binary(), "--io-threads", "2") as server:
        client = redis.Redis(port=server.port, protocol=protocol, decode_responses=True)
        try:
            summary = import_module(name).run(client)
        except Exception:  # noqa: BLE001 - whatever ends a client is its failure
            traceback.print_exc()
            print(f"FAILED: {name} (RESP{protocol})")
            return False
        finally:
            client.close()
    print(f"ok: {name} (RESP{protocol}, {time.monotonic() - began:.1f} s): {summary}")
    return True


def main() -> int:
    wanted = sys.argv[1:] or names()
    results = [run(name, protocol) for name in wanted for protocol in (2, 3)]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) and results else 1


if __name__ == "__main__":
    sys.exit(main())
