"""Keys of the Wi-Fi: made once, random, for their hub alone; what is destroyed is gone from the disk."""

import base64
import os
import stat
import tempfile
import threading
from datetime import date, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.wifi import keys
from hub.wifi.keys import BadKey
from wire import sealed, signed
from wire.kit import KEY_BYTES, SealingKey, pseudonym

TODAY = date(2026, 11, 25)
SESSION = "0a" * 16


def contact(key: SealingKey, text: bytes, session: str = SESSION) -> str:
    """What an access point seals into a consent."""
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key.point)
    return base64.urlsafe_b64encode(sealed.seal(point, text, signed.contact_bytes(session))).decode().rstrip("=")


def everything(folder: Path) -> bytes:
    """Every byte below a folder."""
    return b"".join(one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file())


def test_keys_of_days_are_made_ahead_once_and_for_the_hub_alone(tmp_path: Path) -> None:
    folder = keys.folder_of(tmp_path)
    made = keys.day_keys(folder, TODAY)
    assert [one.day for one in made] == [f"{TODAY + timedelta(days=after):%Y-%m-%d}" for after in range(8)]
    assert len({one.key for one in made}) == 8
    assert all(len(one.key) == KEY_BYTES for one in made)
    assert keys.day_keys(folder, TODAY) == made
    assert keys.day_keys(folder, TODAY + timedelta(days=1))[:7] == made[1:]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()} == {0o600}


def test_a_day_that_was_never_looked_at_has_no_key(tmp_path: Path) -> None:
    assert keys.day_key(tmp_path, TODAY) is None
    (made,) = keys.day_keys(tmp_path, TODAY, 1)
    assert keys.day_key(tmp_path, TODAY) == made


def test_a_key_is_kept_two_days_after_its_day_and_then_found_nowhere(tmp_path: Path) -> None:
    made = keys.day_keys(tmp_path, TODAY)
    for later in range(3):
        assert keys.destroy_day_keys(tmp_path, keys.last_kept(TODAY + timedelta(days=later))) == 0
    assert made[0].key in everything(tmp_path)
    guest = pseudonym(made[0].key, "02:00:5e:10:00:01")
    assert keys.destroy_day_keys(tmp_path, keys.last_kept(TODAY + timedelta(days=3))) == 1
    left = everything(tmp_path)
    assert made[0].key not in left
    assert made[1].key in left
    assert keys.day_key(tmp_path, TODAY) is None
    # Even who knows the device's address cannot tell any more: a key that is made again is another.
    (again,) = keys.day_keys(tmp_path, TODAY, 1)
    assert pseudonym(again.key, "02:00:5e:10:00:01") != guest


def test_what_is_destroyed_is_overwritten_before_it_goes(tmp_path: Path) -> None:
    (made,) = keys.day_keys(tmp_path, TODAY, 1)
    path = tmp_path / f"day-{TODAY}.key"
    # Whoever still holds the file sees what the disk holds in its place.
    with path.open("rb") as held:
        keys.destroy_day_keys(tmp_path, TODAY + timedelta(days=1))
        assert held.read() != made.key
        assert os.fstat(held.fileno()).st_size == KEY_BYTES
    assert not path.exists()


def test_what_a_power_cut_left_is_destroyed_too(tmp_path: Path) -> None:
    (tmp_path / f".day-{TODAY}.key.new").write_bytes(bytes(32))
    (tmp_path / "day-others.key").write_bytes(bytes(32))
    assert keys.destroy_day_keys(tmp_path, TODAY + timedelta(days=1)) == 1
    assert [one.name for one in tmp_path.iterdir()] == ["day-others.key"]
    assert keys.destroy_day_keys(tmp_path / "none", TODAY) == 0


# Each key is made sure of on the disk, which a busy machine takes its time for.
@settings(deadline=None, max_examples=30)
@given(st.sets(st.integers(0, 30), max_size=8), st.integers(0, 31))
def test_exactly_the_days_before_are_destroyed(days: set[int], before: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for day in days:
            keys.day_keys(folder, TODAY + timedelta(days=day), 1)
        assert keys.destroy_day_keys(folder, TODAY + timedelta(days=before)) == len(
            [day for day in days if day < before]
        )
        for day in days:
            assert (keys.day_key(folder, TODAY + timedelta(days=day)) is not None) == (day >= before)


def test_a_contact_opens_with_its_month_its_name_and_its_session_only(tmp_path: Path) -> None:
    november, december = keys.sealing_key(tmp_path, "2026-11"), keys.sealing_key(tmp_path, "2026-12")
    assert keys.sealing_key(tmp_path, "2026-11") == november
    text = contact(november, b"hanako@example.jp")
    assert keys.open_contact(tmp_path, november.name, text, SESSION) == b"hanako@example.jp"
    assert keys.open_contact(tmp_path, december.name, text, SESSION) is None
    assert keys.open_contact(tmp_path, november.name, text, "0b" * 16) is None
    assert keys.open_contact(tmp_path, november.name, text[:-4], SESSION) is None
    assert keys.open_contact(tmp_path, november.name, "not base64!", SESSION) is None
    for name in ("", "2026-11", "../../2026-11.0123456789abcdef", "2026-13.0123456789abcdef", "2026-11." + "0" * 16):
        assert keys.open_contact(tmp_path, name, text, SESSION) is None


def test_a_months_key_that_is_destroyed_opens_nothing_and_is_not_made_again_by_looking(tmp_path: Path) -> None:
    october, november = keys.sealing_key(tmp_path, "2026-10"), keys.sealing_key(tmp_path, "2026-11")
    private = (tmp_path / "seal-2026-10.key").read_bytes()
    texts = [contact(one, b"a@b.jp") for one in (october, november)]
    assert keys.destroy_sealing_keys(tmp_path, "2026-11") == 1
    assert private not in everything(tmp_path)
    assert keys.open_contact(tmp_path, october.name, texts[0], SESSION) is None
    assert keys.open_contact(tmp_path, november.name, texts[1], SESSION) == b"a@b.jp"
    assert not (tmp_path / "seal-2026-10.key").exists()
    # A month whose key is made anew has another name.
    assert keys.sealing_key(tmp_path, "2026-10").name != october.name
    assert keys.open_contact(tmp_path, october.name, texts[0], SESSION) is None


def _everything_is_read(folder: Path) -> None:
    keys.day_keys(folder, TODAY)
    keys.voucher_key(folder)
    keys.sealing_key(folder, "2026-11")
    keys.radius_secret(folder)


@pytest.mark.parametrize("name", [f"day-{TODAY}.key", "voucher.key", "seal-2026-11.key", "radius.secret"])
def test_a_file_that_is_no_key_is_never_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"broken")
    with pytest.raises(BadKey, match=name.replace(".", r"\.")) as told:
        _everything_is_read(tmp_path)
    assert "broken" not in str(told.value)
    assert (tmp_path / name).read_bytes() == b"broken"


def test_threads_that_need_a_key_at_once_get_the_same_one(tmp_path: Path) -> None:
    found: list[bytes] = []
    gate = threading.Barrier(8)

    def need() -> None:
        gate.wait()
        found.append(keys.voucher_key(tmp_path))

    threads = [threading.Thread(target=need) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(set(found)) == 1
    assert found[0] == (tmp_path / "voucher.key").read_bytes()


def test_the_secret_of_staff_networks_may_be_brought(tmp_path: Path) -> None:
    made = keys.radius_secret(tmp_path)
    assert len(made) >= 32
    assert keys.radius_secret(tmp_path) == made
    (tmp_path / "radius.secret").write_text("a-secret-of-the-prefecture\n")
    assert keys.radius_secret(tmp_path) == "a-secret-of-the-prefecture"
