"""A tablet that is killed while it fetches has a file whole or not at all, and goes on with the part that came."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge_agent.tablet.download import download
from tests.tablet.content.fetching_child import content
from tests.tablet.content.parts import file_of, serving


@pytest.mark.parametrize("rounds", [8, pytest.param(200, marks=pytest.mark.soak)])
def test_a_file_is_whole_or_not_there(tmp_path: Path, rounds: int) -> None:
    chance, whole, parts = random.Random(20261125), content(), 0
    file = file_of(whole)
    with serving(whole) as hub:
        for _ in range(rounds):
            command = [sys.executable, "-m", "tests.tablet.content.fetching_child", hub.url, str(tmp_path)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
                assert child.stdout is not None
                assert child.stdout.readline(), "it ended by itself"
                time.sleep(chance.uniform(0, 0.05))
                child.send_signal(signal.SIGKILL)
            path, part = tmp_path / file.digest, tmp_path / f"{file.digest}.part"
            if path.exists():
                assert path.read_bytes() == whole
                path.unlink()
            if part.exists():
                parts += 1
                assert whole.startswith(part.read_bytes())
            assert download(hub.url, None, "t", file, tmp_path, lambda: True).read_bytes() == whole
            path.unlink()
    # Some were killed in the middle.
    assert parts > 0 or rounds < 100
