"""Fetches the source package of Redis 7.0 from Debian, for the Tcl suite inside; once, into a cache folder.

apt is given lists and folders of its own, so nothing of the machine's package setup is read or changed.
Environment: FOG_CACHE (default ~/.cache/fog-conformance).
"""
from __future__ import annotations

import os
import subprocess
from pathlib import Path

SOURCES = """Types: deb-src
URIs: http://deb.debian.org/debian
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb-src
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
EXPECTED_VERSION = "7.0.15"


def cache_folder() -> Path:
    folder = Path(os.environ.get("FOG_CACHE", "~/.cache/fog-conformance")).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def suite_folder() -> Path:
    """The unpacked source tree; fetched when it is not there yet."""
    tree = cache_folder() / f"redis-{EXPECTED_VERSION}"
    if not (tree / "tests" / "test_helper.tcl").exists():
        fetch(tree)
    return tree


def fetch(tree: Path) -> None:
    """Downloads and unpacks the package through private apt lists."""
    print(f"fetching Debian's source package of Redis {EXPECTED_VERSION}: its Tcl suite is what is run", flush=True)
    folder = cache_folder() / "apt"
    for name in ("lists/partial", "cache/archives/partial", "download"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "fog.sources").write_text(SOURCES)
    apt = ["apt-get", "-qq", "-o", f"Dir::Etc::sourcelist={folder}/fog.sources", "-o",
           "Dir::Etc::sourceparts=/dev/null",
           "-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::Cache={folder}/cache", "-o", "APT::Sandbox::User="]
    subprocess.run(apt + ["update"], check=True)
    subprocess.run(apt + ["source", "--download-only", "redis"], check=True, cwd=folder / "download",
                   stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    descriptions = sorted((folder / "download").glob(f"redis_{EXPECTED_VERSION}-*.dsc"))
    if not descriptions:
        raise SystemExit(f"Debian's source package is no longer Redis {EXPECTED_VERSION}; see {folder}/download")
    subprocess.run(["dpkg-source", "--no-check", "-x", str(descriptions[-1]), str(tree)], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
