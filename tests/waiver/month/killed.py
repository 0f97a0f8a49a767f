"""Closings that are killed: `python -m tests.waiver.month.killed PRISTINE COUNT SEED`, a line of JSON a kill.

Processes are forked from one that has everything loaded, so that a kill falls into the closing and not into an import.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

from hub.db import Db
from hub.waiver import close_command, closing, ledger_check, ledger_store, month_store
from tests.waiver.month.model import FIRST

# What the command loads when it runs is loaded before.
LOADED = (closing,)


def close(folder: Path) -> int:
    """The command, in this process."""
    settings = str(folder / "hub.toml")
    people = ("--asked-by", "hanako", "--approved-by", "taro")
    parser = argparse.ArgumentParser()
    close_command.add_to(parser.add_subparsers())
    arguments = parser.parse_args(["waiver-close", "--settings", settings, *people, FIRST])
    code: int = arguments.run(arguments)
    return code


def forked(folder: Path) -> int:
    """The command in a process of its own; its number."""
    child = os.fork()
    if child:
        return child
    code = 3
    try:
        with Path(os.devnull).open("w") as nothing, contextlib.redirect_stdout(nothing):
            code = close(folder)
    finally:
        os._exit(code)


def fresh(pristine: Path, folder: Path) -> Path:
    """A copy of the hub's folder."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(pristine, folder)
    text = (pristine / "hub.toml").read_text().replace(str(pristine), str(folder))
    (folder / "hub.toml").write_text(text)
    return folder


def found(folder: Path) -> dict[str, object]:
    """What a hub that begins anew finds there."""
    db = Db(folder / "hub.db")
    try:
        return {
            "hashes": [one.content_hash for one in db.read(ledger_store.closings)],
            "entries": db.read(ledger_store.head)[0],
            "asked": len(db.read(lambda conn: month_store.asks(conn, FIRST))),
            "bad": db.read(ledger_check.verify),
            "seen": db.read(lambda conn: conn.execute("SELECT count(*) FROM waiver_month_seen").fetchone()[0]),
        }
    finally:
        db.close()


def run(pristine: Path, count: int, seed: int) -> None:
    """Kills so many closings, each at a moment of its own."""
    dice = random.Random(seed)
    folder = pristine.parent / "killed"
    began = time.monotonic()
    os.waitpid(forked(fresh(pristine, folder)), 0)
    whole_s = time.monotonic() - began
    print(json.dumps({"killed": False, **found(folder)}), flush=True)
    for _ in range(count):
        child = forked(fresh(pristine, folder))
        time.sleep(dice.uniform(0, whole_s * 1.1))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        print(json.dumps({"killed": os.WIFSIGNALED(status), **found(folder)}), flush=True)
    # What was cut off last is done again, and comes to the same.
    with contextlib.redirect_stdout(sys.stderr):
        close(folder)
    print(json.dumps({"killed": False, **found(folder)}), flush=True)


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
