"""Ends servers in every way that SHUTDOWN and signals know and compares what is left with Redis 7.0; asks WAITAOF what
Valkey 9.1 is asked.

Each scenario gets a fresh server of either kind and says what it saw as plain lines: replies, whether the process is
still there, its exit code, the files that are left, words of the log that scripts look for. The lines of both servers
must be equal; MEANT explains those that are not.

    shutdown.py [--only NAME ...] [--show]
"""
from __future__ import annotations

import argparse
import fnmatch
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable

from resp import Connection, show
from servers import BINARIES, Server

EXIT_SECONDS = 20.0
# Scenario and line (of Fog) that differ on purpose, and why.
MEANT: dict[tuple[str, str], str] = {}


class Scene:
    """One server and the lines seen so far."""

    def __init__(self, name: str, *options: str) -> None:
        self.server = Server(BINARIES[name](), *options, name=name)
        self.lines: list[str] = []
        self.control = self.server.connect()

    def call(self, *words: str, on: Connection | None = None) -> str:
        """A command's reply as text; `<closed>` when the connection ended instead."""
        return show((on or self.control).command(*words))

    def say(self, *words: str, on: Connection | None = None) -> None:
        self.lines.append(f"{' '.join(words)} -> {self.call(*words, on=on)}")

    def information(self, section: str) -> str:
        return self.control.command("INFO", section).text().decode()

    def fill(self, count: int = 200) -> None:
        self.call("DEBUG", "POPULATE", str(count))

    def note(self, text: str) -> None:
        self.lines.append(text)

    def fate(self, seconds: float = EXIT_SECONDS) -> None:
        """Whether the server ends, and how."""
        assert self.server.process is not None
        try:
            self.note(f"exit code {self.server.process.wait(seconds)}")
        except subprocess.TimeoutExpired:
            self.note("still there: " + self.call("PING", on=self.server.connect()))

    def files(self) -> None:
        names = sorted(path.name for path in self.server.folder.iterdir() if path.name != "log.txt")
        self.note("files: " + (" ".join("temp-*.rdb" if name.startswith("temp-") else name for name in names) or "none"))

    def keys_after(self, name: str) -> None:
        """How many keys a server knows that starts on the folder."""
        self.server.launch()
        self.server.wait_ready()
        self.note(f"keys at the next start: {show(self.server.connect().command('DBSIZE'))}")

    def logged(self, *texts: str) -> None:
        log = self.server.log_path.read_text("utf-8", "replace")
        for text in texts:
            self.note(f"log has '{text}': {'yes' if text in log else 'no'}")

    def signal(self, number: signal.Signals) -> None:
        assert self.server.process is not None
        self.server.process.send_signal(number)
        self.note(number.name)


def break_saving(scene: Scene) -> None:
    """A directory has the name of the file: the last step of a save fails, for root too."""
    Path(scene.server.folder, "dump.rdb").mkdir()
    Path(scene.server.folder, "dump.rdb", "occupied").touch()


def mend_saving(scene: Scene) -> None:
    Path(scene.server.folder, "dump.rdb", "occupied").unlink()
    Path(scene.server.folder, "dump.rdb").rmdir()


# MARK: SHUTDOWN

def words(name: str) -> Scene:
    scene = Scene(name)
    for line in ("SHUTDOWN ABORT", "SHUTDOWN foo", "SHUTDOWN SAVE NOSAVE", "SHUTDOWN ABORT NOW", "SHUTDOWN NOW ABORT",
                 "SHUTDOWN ABORT ABORT"):
        scene.say(*line.split())
    scene.say("MULTI")
    scene.say("SHUTDOWN", "NOSAVE")
    scene.say("EXEC")
    scene.say("EVAL", "return redis.call('shutdown', 'nosave')", "0")
    scene.fate(0.3)
    return scene


def plain(name: str, options: tuple[str, ...], *line: str) -> Scene:
    scene = Scene(name, *options)
    scene.fill()
    scene.say("SHUTDOWN", *line)
    scene.fate()
    scene.files()
    scene.keys_after(name)
    return scene


def during_save(name: str, *line: str) -> Scene:
    scene = Scene(name, "--rdb-key-save-delay", "100000")
    scene.fill()
    scene.say("BGSAVE")
    time.sleep(0.3)
    scene.call("CONFIG", "SET", "rdb-key-save-delay", "0")
    scene.say("SHUTDOWN", *line)
    scene.fate()
    scene.files()
    scene.logged("There is a child saving an .rdb. Killing it!")
    return scene


def failing_save(name: str) -> Scene:
    scene = Scene(name, "--save", "900 1")
    scene.fill()
    break_saving(scene)
    scene.say("SHUTDOWN")
    scene.say("SHUTDOWN", "SAVE")
    scene.say("SHUTDOWN", "NOW")
    scene.fate(0.3)
    scene.say("SET", "a", "1")
    scene.logged("Error trying to save the DB, can't exit.")
    mend_saving(scene)
    scene.say("SHUTDOWN")
    scene.fate()
    scene.files()
    scene.keys_after(name)
    return scene


def failing_save_forced(name: str) -> Scene:
    scene = Scene(name, "--save", "900 1")
    scene.fill()
    break_saving(scene)
    scene.say("SHUTDOWN", "FORCE")
    scene.fate()
    scene.logged("Error trying to save the DB. Exit anyway.")
    return scene


def failing_save_by_signal(name: str) -> Scene:
    scene = Scene(name, "--save", "900 1")
    scene.fill()
    break_saving(scene)
    scene.signal(signal.SIGTERM)
    scene.fate(1)
    scene.logged("Received SIGTERM scheduling shutdown...", "Error trying to save the DB, can't exit.",
                 "Errors trying to shut down the server. Check the logs for more information.")
    scene.say("SET", "a", "1")
    mend_saving(scene)
    scene.signal(signal.SIGTERM)
    scene.fate()
    scene.files()
    return scene


def signals_with_flags(name: str) -> Scene:
    scene = Scene(name, "--save", "900 1", "--shutdown-on-sigterm", "nosave now", "--shutdown-on-sigint", "save force")
    scene.fill()
    scene.signal(signal.SIGTERM)
    scene.fate()
    scene.files()
    scene.server.launch()
    scene.server.wait_ready()
    scene.signal(signal.SIGINT)
    scene.fate()
    scene.files()
    scene.logged("Received SIGINT scheduling shutdown...", "User requested shutdown...")
    return scene


def insisting(name: str, first: signal.Signals, second: signal.Signals) -> Scene:
    """A save that lasts, and somebody who does not want to wait."""
    scene = Scene(name, "--save", "900 1", "--rdb-key-save-delay", "20000")
    scene.fill()
    scene.signal(first)
    time.sleep(0.6)
    scene.signal(second)
    began = time.monotonic()
    scene.fate()
    scene.note(f"at once: {'yes' if time.monotonic() - began < 1 else 'no'}")
    scene.files()
    scene.logged("You insist... exiting now.")
    return scene


def loading(name: str, number: signal.Signals | None, *line: str) -> Scene:
    scene = Scene(name)
    scene.fill(2000)
    scene.call("SAVE")
    scene.server.process.kill()
    scene.server.process.wait()
    scene.server.options += ("--key-load-delay", "5000", "--loading-process-events-interval-bytes", "1024")
    scene.server.launch()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            scene.control = scene.server.connect()
            if "LOADING" in scene.call("PING"):
                break
        except OSError:
            pass
        time.sleep(0.02)
    for word in ("PING", "GET key:1", "SET a 1", "DBSIZE", "SELECT 0", "MULTI", "SHUTDOWN ABORT"):
        scene.say(*word.split())
    information = scene.information("persistence")
    fields = ("loading", "async_loading", "loading_start_time", "loading_total_bytes", "loading_rdb_used_mem",
              "loading_loaded_bytes", "loading_loaded_perc", "loading_eta_seconds")
    scene.note("INFO shows: " + " ".join(field for field in fields if f"{field}:" in information))
    began = time.monotonic()
    if number:
        scene.signal(number)
    else:
        scene.say("SHUTDOWN", *line)
    scene.fate()
    scene.note(f"at once: {'yes' if time.monotonic() - began < 2 else 'no'}")
    scene.logged("Received shutdown signal during loading, exiting now.")
    scene.files()
    return scene


def first_rewrite(name: str) -> Scene:
    """The append only file was switched on and is not there yet."""
    scene = Scene(name, "--rdb-key-save-delay", "100000")
    scene.fill()
    scene.say("CONFIG", "SET", "appendonly", "yes")
    time.sleep(0.3)
    scene.say("SHUTDOWN")
    scene.fate(0.3)
    scene.call("CONFIG", "SET", "rdb-key-save-delay", "0")
    scene.say("SHUTDOWN", "FORCE")
    scene.fate()
    return scene


def append_only(name: str) -> Scene:
    scene = Scene(name, "--appendonly", "yes", "--appendfsync", "no")
    scene.fill(10)
    for number in range(100):
        scene.call("SET", f"k{number}", "v")
    scene.say("SHUTDOWN")
    scene.fate()
    scene.files()
    scene.keys_after(name)
    return scene


def busy_script(name: str) -> Scene:
    scene = Scene(name, "--busy-reply-threshold", "50")
    other = scene.server.connect()
    other.send("EVAL", "while true do end", "0")
    time.sleep(0.3)
    scene.say("PING")
    scene.say("SHUTDOWN")
    scene.say("SHUTDOWN", "NOSAVE")
    scene.fate()
    return scene


# MARK: WAITAOF

def wait_words(name: str) -> Scene:
    scene = Scene(name)
    for line in ("WAITAOF 1 0 0", "WAITAOF 0 0 0", "WAITAOF 2 0 0", "WAITAOF -1 0 0", "WAITAOF 1 -1 0", "WAITAOF 1 0 -1",
                 "WAITAOF a 0 0", "WAITAOF 1 a 0", "WAITAOF 1 0 a", "WAITAOF 1 0", "WAITAOF 0 1 50"):
        scene.say(*line.split())
    return scene


def timed(scene: Scene, *line: str, on: Connection | None = None, steps: tuple[float, ...] = (0.05, 0.6, 2.2)) -> None:
    began = time.monotonic()
    reply = scene.call(*line, on=on)
    elapsed = time.monotonic() - began
    bound = next((f"within {step} s" for step in steps if elapsed <= step), "late")
    scene.note(f"{' '.join(line)} -> {reply}, {bound}")


def wait_policy(name: str, policy: str) -> Scene:
    scene = Scene(name, "--appendonly", "yes", "--appendfsync", policy)
    timed(scene, "WAITAOF", "1", "0", "0")
    scene.say("SET", "a", "1")
    if policy == "no":
        timed(scene, "WAITAOF", "1", "0", "300")
    else:
        timed(scene, "WAITAOF", "1", "0", "0", steps=(2.2,))
    timed(scene, "WAITAOF", "0", "0", "0")
    scene.say("SET", "a", "2")
    if policy != "everysec":
        timed(scene, "WAITAOF", "0", "1", "300")
    timed(scene, "WAITAOF", "1", "1", "2500", steps=(2.4, 2.8))
    scene.say("MULTI")
    scene.say("SET", "a", "3")
    scene.say("WAITAOF", "1", "0", "0")
    if policy == "always":
        scene.say("EXEC")
    else:
        reply = scene.call("EXEC")
        scene.note(f"EXEC waits: {'no' if 'OK' in reply else reply}")
    if policy != "everysec":
        scene.say("EVAL", "return redis.call('waitaof', 1, 0, 0)", "0")
    return scene


def wait_unblocked(name: str, how: str) -> Scene:
    scene = Scene(name, "--appendonly", "yes", "--appendfsync", "no")
    waiting = scene.server.connect()
    identifier = waiting.command("CLIENT", "ID").text().decode()
    waiting.command("SET", "a", "1")
    waiting.send("WAITAOF", "1", "0", "0")
    time.sleep(0.3)
    scene.note("blocked_clients:1 " + str("blocked_clients:1" in scene.information("clients")))
    if how == "off":
        scene.say("CONFIG", "SET", "appendonly", "no")
    else:
        scene.note(f"CLIENT UNBLOCK {how} -> {scene.call('CLIENT', 'UNBLOCK', identifier, how)}")
    scene.note(f"WAITAOF -> {show(waiting.read_reply())}")
    return scene


SCENARIOS: dict[str, tuple[str, Callable[[str], Scene]]] = {
    "words": ("redis", words),
    "without save points": ("redis", lambda name: plain(name, ())),
    "with save points": ("redis", lambda name: plain(name, ("--save", "900 1"))),
    "NOSAVE": ("redis", lambda name: plain(name, ("--save", "900 1"), "NOSAVE")),
    "SAVE": ("redis", lambda name: plain(name, (), "SAVE")),
    "SAVE NOW FORCE": ("redis", lambda name: plain(name, (), "SAVE", "NOW", "FORCE")),
    "during BGSAVE, NOSAVE": ("redis", lambda name: during_save(name, "NOSAVE")),
    "during BGSAVE, SAVE": ("redis", lambda name: during_save(name, "SAVE")),
    "save fails": ("redis", failing_save),
    "save fails, FORCE": ("redis", failing_save_forced),
    "save fails, SIGTERM": ("redis", failing_save_by_signal),
    "signals with flags": ("redis", signals_with_flags),
    "SIGINT twice": ("redis", lambda name: insisting(name, signal.SIGINT, signal.SIGINT)),
    "SIGTERM twice": ("redis", lambda name: insisting(name, signal.SIGTERM, signal.SIGTERM)),
    "loading, SIGTERM": ("redis", lambda name: loading(name, signal.SIGTERM)),
    "loading, SIGINT": ("redis", lambda name: loading(name, signal.SIGINT)),
    "loading, SHUTDOWN": ("redis", lambda name: loading(name, None)),
    "loading, SHUTDOWN SAVE": ("redis", lambda name: loading(name, None, "SAVE")),
    "first rewrite": ("redis", first_rewrite),
    "append only": ("redis", append_only),
    "busy script": ("redis", busy_script),
    "WAITAOF words": ("valkey", wait_words),
    "WAITAOF always": ("valkey", lambda name: wait_policy(name, "always")),
    "WAITAOF everysec": ("valkey", lambda name: wait_policy(name, "everysec")),
    "WAITAOF no": ("valkey", lambda name: wait_policy(name, "no")),
    "WAITAOF unblocked, TIMEOUT": ("valkey", lambda name: wait_unblocked(name, "TIMEOUT")),
    "WAITAOF unblocked, ERROR": ("valkey", lambda name: wait_unblocked(name, "ERROR")),
    "WAITAOF switched off": ("valkey", lambda name: wait_unblocked(name, "off")),
}


def run(scenario: Callable[[str], Scene], name: str) -> list[str]:
    scene = scenario(name)
    scene.server.stop()
    return scene.lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=["*"], metavar="NAME")
    parser.add_argument("--show", action="store_true", help="print all lines")
    options = parser.parse_args()
    differences = 0
    chosen = {name: found for name, found in SCENARIOS.items() if any(fnmatch.fnmatch(name, o) for o in options.only)}
    if not chosen:
        parser.error("no scenario has such a name")
    for name, (stock, scenario) in chosen.items():
        fog, other = run(scenario, "fog"), run(scenario, stock)
        if options.show:
            print(f"== {name}")
            print("\n".join(f"   {line}" for line in fog))
        for index in range(max(len(fog), len(other))):
            left = fog[index] if index < len(fog) else "nothing"
            right = other[index] if index < len(other) else "nothing"
            if left == right:
                continue
            if (name, left) in MEANT:
                print(f"{name}: on purpose: {left}: {MEANT[name, left]}")
                continue
            differences += 1
            print(f"{name}\n  fog:    {left}\n  {stock + ':':<7} {right}", flush=True)
    print(f"{len(chosen)} scenarios, {differences} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
