"""A town whose hub runs, issuers without a hub, a database: for these tests."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.db import Db
from hub.identity.authority import Authority
from provisioning import ca
from tests.identity.parts import OwnTown

NOW = datetime.now(UTC).replace(microsecond=0)
NOW_MS = int(NOW.timestamp()) * 1000
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnTown]:
    """A town whose hub and broker run."""
    town = OwnTown(tmp_path_factory.mktemp("town"))
    with town.broker, town.hub:
        town.hub.wait_until_it_hears()
        yield town


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Issuers without a hub."""
    folder = tmp_path_factory.mktemp("ca")
    ca.make_root(folder / "stick", "Town", b"", NOW)
    ca.issue(ca.read_root(folder / "stick", None), folder / "ca", ["127.0.0.1"], NOW)
    return Authority(folder / "ca")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Db]:
    """A hub's database."""
    db = Db(tmp_path / "hub.db")
    db.open()
    yield db
    db.close()
