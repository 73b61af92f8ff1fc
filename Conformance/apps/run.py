"""Runs real applications on the server: job queues, caches and locks, each doing work that is checked to the end.

Usage: run.py [NAME ...]   (FOG_SERVER names the binary)
       run.py --server redis-server   the same on another server, to test the checks themselves
An application is a file here; it is started with the ports of three fresh servers (most need the first), must end
with 0 within its time, and prints one line about what it did. Their packages lie in an environment of their own,
`.venv/apps`, because they ask for older clients than the other checks use; `install.sh` makes it.
"""
from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

from servers import REPOSITORY, Binary, Server, fog_binary  # noqa: E402

PYTHON = REPOSITORY / ".venv" / "apps" / "bin" / "python"
SECONDS_MAX = 120
APPLICATIONS = ("recipes", "rq_jobs", "celery_tasks", "huey_tasks", "arq_jobs", "bullmq_jobs", "django_cache", "redlock_locks")


def run(binary: Binary, name: str) -> bool:
    """One application on fresh servers; prints its line."""
    servers = [Server(binary, name=f"{name}-{number}") for number in range(3)]
    started = time.monotonic()
    try:
        line = [str(PYTHON), str(FOLDER / f"{name}.py"), *[str(server.port) for server in servers]]
        try:
            outcome = subprocess.run(line, capture_output=True, text=True, timeout=SECONDS_MAX, cwd=servers[0].folder)
            status, output, errors = outcome.returncode, outcome.stdout, outcome.stderr
        except subprocess.TimeoutExpired as late:
            status, output, errors = -1, f"not done in {SECONDS_MAX} s", (late.stderr or b"").decode()
        dead = [server for server in servers if not server.is_alive()]
    finally:
        for server in servers:
            server.stop()
    is_whole = status == 0 and not dead
    last = output.strip().splitlines()[-1] if output.strip() else "said nothing"
    print(f"{name:<14} {'ok' if is_whole else 'FAILED'}  {time.monotonic() - started:5.1f} s  {last}", flush=True)
    if not is_whole:
        print(output[-2000:] + errors[-2500:])
        for server in dead:
            print(f"{server.name} died with {server.exit_code()}")
    return is_whole


def main() -> int:
    parser = argparse.ArgumentParser(description="Run real applications on the server.")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(APPLICATIONS)}")
    parser.add_argument("--server", help="another binary instead of Fog's")
    options = parser.parse_args()
    if not PYTHON.exists():
        sys.exit(f"{PYTHON} is missing: run Conformance/install.sh")
    unknown = set(options.names) - set(APPLICATIONS)
    if unknown:
        sys.exit(f"no application is called {', '.join(sorted(unknown))}")
    found = shutil.which(options.server) if options.server else None
    if options.server and not found:
        sys.exit(f"{options.server} is no program")
    binary = Binary("other", Path(found)) if found else fog_binary()
    failed = [name for name in options.names or APPLICATIONS if not run(binary, name)]
    print(f"{len(options.names or APPLICATIONS) - len(failed)} ok, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
