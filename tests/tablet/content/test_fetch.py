"""Files come whole or not at all, go on where they stopped, over the right line, and within the tablet's disk."""

import os
from pathlib import Path

import msgspec
import pytest

from edge_agent.tablet import download as downloading
from edge_agent.tablet.download import Away, Stopped, Unfit, download
from edge_agent.tablet.fetch import _budget
from edge_agent.tablet.library import Library
from tests.tablet.content.parts import file_of, item_of, reading, serving

ONE, TWO, THREE = (os.urandom(size) for size in (200_000, 150_000, 90_000))


def _always() -> bool:
    return True


# ---- one file


def test_a_file_comes_whole_with_the_ticket_in_a_header(tmp_path: Path) -> None:
    with serving(ONE) as hub:
        path = download(hub.url, None, "tablet-1.abc", file_of(ONE), tmp_path, _always)
        assert path.read_bytes() == ONE
        assert hub.asked == [(file_of(ONE).digest, "", "Bearer tablet-1.abc")]
        assert [one.name for one in tmp_path.iterdir()] == [file_of(ONE).digest]


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_what_stopped_in_the_middle_goes_on_from_there(tmp_path: Path, knows_ranges: bool) -> None:
    with serving(ONE) as hub:
        hub.stops_after, hub.knows_ranges = 120_000, knows_ranges
        with pytest.raises(Away):
            download(hub.url, None, "t", file_of(ONE), tmp_path, _always)
        assert (tmp_path / f"{file_of(ONE).digest}.part").stat().st_size == 120_000
        assert download(hub.url, None, "t", file_of(ONE), tmp_path, _always).read_bytes() == ONE
        assert hub.asked[1][1] == "bytes=120000-"


def test_what_came_whole_before_a_power_cut_is_not_asked_for_again(tmp_path: Path) -> None:
    (tmp_path / f"{file_of(ONE).digest}.part").write_bytes(ONE)
    with serving() as hub:
        assert download(hub.url, None, "t", file_of(ONE), tmp_path, _always).read_bytes() == ONE
        assert hub.asked == []


def test_other_bytes_are_thrown_away(tmp_path: Path) -> None:
    other = bytes([ONE[0] ^ 1]) + ONE[1:]
    with serving() as hub:
        for given in (other, ONE + b"x"):
            hub.files[file_of(ONE).digest] = given
            with pytest.raises(Unfit):
                download(hub.url, None, "t", file_of(ONE), tmp_path, _always)
            assert not (tmp_path / file_of(ONE).digest).exists()
        # Too few are only late.
        hub.files[file_of(ONE).digest] = ONE[:-1]
        with pytest.raises(Away):
            download(hub.url, None, "t", file_of(ONE), tmp_path, _always)
        (tmp_path / f"{file_of(ONE).digest}.part").write_bytes(ONE + b"xyz")
        hub.files[file_of(ONE).digest] = ONE
        assert download(hub.url, None, "t", file_of(ONE), tmp_path, _always).read_bytes() == ONE


def test_a_hub_that_gives_none_or_is_away_or_would_be_asked_in_the_clear(tmp_path: Path) -> None:
    with serving() as hub, pytest.raises(Unfit, match="code 404"):
        download(hub.url, None, "t", file_of(ONE), tmp_path, _always)
    with pytest.raises(Away):
        download(hub.url, None, "t", file_of(ONE), tmp_path, _always)
    with pytest.raises(Unfit, match="in the clear"):
        download("http://hub.example", None, "t", file_of(ONE), tmp_path, _always)


def test_it_stops_when_it_may_not_go_on_and_keeps_what_has_come(tmp_path: Path) -> None:
    left = iter([True, True, False])
    with serving(ONE) as hub, pytest.raises(Stopped):
        download(hub.url, None, "t", file_of(ONE), tmp_path, lambda: next(left))
    part = tmp_path / f"{file_of(ONE).digest}.part"
    assert 0 < part.stat().st_size <= 2 * downloading._CHUNK_BYTES
    assert ONE.startswith(part.read_bytes())


# ---- the loop


async def test_a_shelf_is_brought_told_once_and_read_without_the_hub(tmp_path: Path) -> None:
    first, second = item_of(1, ONE, TWO), item_of(2, THREE)
    with serving(ONE, TWO, THREE) as hub:
        async with reading(tmp_path / "state", hub.url) as one:
            one.use(first, second)
            await one.until(lambda: not one.library.missing)
            assert await one.until_told(2) == [(2, "fetched"), (1, "fetched")]
            assert one.library.content_bytes == len(ONE + TWO + THREE)
            await one.library.opened(first)
            await one.library.opened(first)
            assert (await one.told())[2:] == [(1, "opened")]
    # The hub is gone, and the tablet was started anew.
    async with reading(tmp_path / "state", "http://127.0.0.1:9") as one:
        one.use(first, second)
        assert [item.id for item in one.library.items()] == [second.id, first.id]
        path = one.library.file(file_of(TWO).digest)
        assert path is not None
        assert path.read_bytes() == TWO
        assert set(one.library.opened_ms) == {first.id}
        await one.fetching._round()
        assert len(await one.told()) == 3


async def test_what_waits_for_wifi_waits_and_what_is_urgent_does_not(tmp_path: Path) -> None:
    with serving(ONE, TWO) as hub:
        async with reading(tmp_path / "state", hub.url, "mobile") as one:
            one.use(item_of(1, ONE, published_ms=one.library.now_ms()), item_of(2, TWO, urgent=True))
            await one.until(lambda: one.library.file(file_of(TWO).digest) is not None)
            assert one.library.missing == 1
            one.way = "wifi"
            one.use(*one.library.shelf.items)
            await one.until(lambda: not one.library.missing)


async def test_the_disk_is_kept_within_its_part_the_oldest_opened_first(tmp_path: Path) -> None:
    megabyte = [os.urandom(1_000_000) for _ in range(3)]
    items = [item_of(n + 1, content) for n, content in enumerate(megabyte)]
    with serving(*megabyte) as hub:
        async with reading(tmp_path / "state", hub.url) as one:
            one.holder.put(msgspec.structs.replace(one.holder.now, content_mb=2))
            one.use(items[0], items[1])
            await one.until(lambda: not one.library.missing)
            await one.library.opened(items[1])
            one.use(*items)
            await one.until(lambda: one.library.is_whole(items[2]))
            # The newest came, the unread one stayed, what was read gave way: and the hub knows.
            assert one.library.is_whole(items[0])
            assert not one.library.is_whole(items[1])
            assert (await one.until_told(5))[2:] == [(2, "opened"), (2, "dropped"), (3, "fetched")]
            assert one.library.content_bytes <= 2_000_000
            # There is room again.
            one.holder.put(msgspec.structs.replace(one.holder.now, content_mb=10))
            await one.until(lambda: not one.library.missing)
            assert set(one.library.opened_ms) == {items[1].id}


async def test_what_the_shelf_has_no_more_goes_from_the_disk(tmp_path: Path) -> None:
    with serving(ONE, TWO) as hub:
        async with reading(tmp_path / "state", hub.url) as one:
            one.use(item_of(1, ONE), item_of(2, TWO))
            await one.until(lambda: not one.library.missing)
            await one.library.opened(item_of(1, ONE))
            one.use(item_of(2, TWO))
            await one.until(lambda: one.library.file(file_of(ONE).digest) is None)
            await one.until(lambda: not one.library.opened_ms)
            names = {path.name for path in one.library.folder.iterdir()}
            assert names == {file_of(TWO).digest, "read.json"}


async def test_without_a_shelf_nothing_is_thrown_away_and_a_wiped_tablet_fetches_nothing(tmp_path: Path) -> None:
    with serving(ONE, TWO) as hub:
        async with reading(tmp_path / "state", hub.url) as one:
            one.use(item_of(1, ONE))
            await one.until(lambda: not one.library.missing)
        async with reading(tmp_path / "state", hub.url) as one:
            # The shelf's paper was damaged; the hub sends it again.
            assert await one.fetching._round() == ""
            assert one.library.file(file_of(ONE).digest) is not None
            one.barred = True
            one.use(item_of(2, TWO))
            assert await one.fetching._round() == ""
            assert one.library.missing == 1
            assert len(hub.asked) == 1


def test_content_leaves_the_last_room_on_the_disk_to_the_records(tmp_path: Path) -> None:
    figures = os.statvfs(tmp_path)
    free = figures.f_bavail * figures.f_frsize
    assert _budget(tmp_path / "not" / "there", 0, 1) == min(1_000_000, max(0, free - 200_000_000))
    assert _budget(tmp_path, 0, 10**9) < free
    assert _budget(tmp_path, 10**9, 10**9) > _budget(tmp_path, 0, 10**9)


async def test_a_file_of_the_list_that_is_damaged_is_an_empty_list(tmp_path: Path) -> None:
    async with reading(tmp_path / "state", "http://127.0.0.1:9") as one:
        one.library.folder.mkdir(exist_ok=True)
        (one.library.folder / "read.json").write_bytes(b"\xff\xfe{")
        (one.library.folder / "x").mkdir()
        assert Library(tmp_path / "state", one.spool, one.clock).opened_ms == {}
