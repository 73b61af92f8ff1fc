"""Acceptance with real clients: redis-py, valkey-py, hiredis, redis-cli and redis-benchmark against Fog.

Usage: clients.py [NAME ...]   (names of checks, or parts of them)
Each check starts on an empty server. A check whose commands do not exist yet is left out by name; anything else
that fails makes the run fail. Needs the packages that install.sh puts into .venv.
"""
from __future__ import annotations

import importlib
import signal
import sys
import time
import traceback

from checklist import command_names
from clients.checks import CHECKS, Check, Context
from servers import Server, fog_binary

MODULES = ("clients.python_clients", "clients.command_line")
CHECK_TIMEOUT_SECONDS = 180


def _too_long(*_: object) -> None:
    raise TimeoutError(f"not done after {CHECK_TIMEOUT_SECONDS} s")


def run_check(one: Check, server: Server) -> str:
    """Runs one check on an emptied server; returns what went wrong, or nothing."""
    connection = server.connect()
    connection.command("FLUSHALL")
    connection.close()
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(CHECK_TIMEOUT_SECONDS)
    try:
        one.run(Context(server))
    except Exception as problem:  # a check may fail in any way that its client knows
        place = traceback.extract_tb(problem.__traceback__)
        where = next((frame for frame in reversed(place) if "/clients/" in frame.filename), place[-1])
        text = str(problem) or (where.line or "")
        return f"{type(problem).__name__} in line {where.lineno}: {text[:700]}"
    finally:
        signal.alarm(0)
    return "" if server.is_alive() else f"the server died: {server.log_tail()}"


def main() -> int:
    for module in MODULES:
        importlib.import_module(module)
    wanted = [one for one in CHECKS if not sys.argv[1:] or any(part in one.name for part in sys.argv[1:])]
    counts = {"ok": 0, "left out": 0, "failed": 0}
    server = Server(fog_binary(), name="fog")
    try:
        present = command_names(server)
        for one in wanted:
            lacking = [name for name in one.needs if name not in present]
            if lacking:
                counts["left out"] += 1
                print(f"left out  {one.name}: needs {', '.join(lacking)}")
                continue
            started = time.monotonic()
            problem = run_check(one, server)
            counts["failed" if problem else "ok"] += 1
            print(f"{'FAILED' if problem else 'ok':<9} {one.name} ({time.monotonic() - started:.1f} s): {one.title}",
                  flush=True)
            if problem:
                print(f"          {problem}")
            if not server.is_alive():
                server.stop()
                server = Server(fog_binary(), name="fog")
    finally:
        server.stop()
    print(", ".join(f"{name} {count}" for name, count in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
