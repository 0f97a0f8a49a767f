"""Late, repeated and shuffled packets change nothing; a NAS that starts anew leaves no session open."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.wifi import radius_store
from tests.wifi.privacy.parts import lies_in
from tests.wifi.radius.parts import ADDRESS, AT_S, client, opened, sessions, take, told, use


def life(session: str, began_s: int, address: str = ADDRESS) -> list[dict[str, str]]:
    """All that a NAS says of a session of three minutes that goes over 4 GiB."""
    return [
        told("Start", session, began_s, calling_station_id=address),
        told("Interim-Update", session, began_s + 60, calling_station_id=address, **use(4_294_967_000, 10, 60)),
        told("Interim-Update", session, began_s + 120, calling_station_id=address, **use(500, 20, 120, up_giga=1)),
        told(
            "Stop",
            session,
            began_s + 180,
            calling_station_id=address,
            acct_terminate_cause="User-Request",
            **use(900, 30, 180, up_giga=1),
        ),
    ]


def test_the_three_wrong_results_are_right(tmp_path: Path) -> None:
    db = opened(tmp_path)
    of = client(db)
    start, before, after, stop = life("S1", AT_S)
    later_ms = (AT_S + 9000) * 1000
    take(db, of, start, before)
    take(db, of, after)
    # 1. Over 4 GiB usage grows.
    assert sessions(db)[0]["up_bytes"] == 2**32 + 500
    take(db, of, stop)
    # 2. A late one opens nothing again and takes nothing away.
    take(db, of, before, arrived_ms=later_ms)
    (row,) = sessions(db)
    assert (row["up_bytes"], row["down_bytes"]) == (2**32 + 900, 30)
    # 3. The end is when it was, however late and often it is told.
    take(db, of, stop, arrived_ms=later_ms)
    take(db, of, {**stop, "acct-delay-time": "8000"}, arrived_ms=later_ms)
    (row,) = sessions(db)
    assert (row["began_ms"], row["ended_ms"]) == (AT_S * 1000, (AT_S + 180) * 1000)
    assert row["cause"] == "user"
    assert (row["place"], row["network"], row["told_by"]) == ("Library", "Library", "radius:1")
    hours = db.read(
        lambda conn: conn.execute("SELECT sum(began), sum(up_bytes), sum(down_bytes) FROM wifi_hour").fetchone()
    )
    assert hours == (1, 2**32 + 900, 30)
    db.close()


def _facts(folder: Path, packets: list[dict[str, str]], groups: list[int]) -> list[tuple[object, ...]]:
    db = opened(folder)
    of = client(db)
    at = 0
    for size in groups:
        take(db, of, *packets[at : at + size], arrived_ms=(AT_S + 10_000) * 1000)
        at += size
    take(db, of, *packets[at:], arrived_ms=(AT_S + 10_000) * 1000)
    names = ("session", "began_ms", "last_ms", "ended_ms", "cause", "up_bytes", "down_bytes", "guest", "day")
    found = [tuple(row[name] for name in names) for row in sessions(db)]
    hours = db.read(
        lambda conn: conn.execute(
            "SELECT hour_ms, began, sessions, up_bytes, down_bytes FROM wifi_hour WHERE began OR sessions ORDER BY 1"
        ).fetchall()
    )
    db.close()
    return [*found, *hours]


@given(st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_order_and_any_repeat_gives_the_same(data: st.DataObject) -> None:
    packets = life("S1", AT_S) + life("S2", AT_S + 100, "02-00-5E-10-00-02")
    shuffled = data.draw(st.permutations(packets + data.draw(st.lists(st.sampled_from(packets), max_size=6))))
    groups = data.draw(st.lists(st.integers(1, 5), max_size=4))
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        expected = _facts(Path(one), packets, [])
        assert _facts(Path(other), shuffled, groups) == expected
        assert len([row for row in expected if len(row) == 9]) == 2


def test_a_nas_that_starts_anew_ends_what_was_open_at_its_last_sign_of_life(tmp_path: Path) -> None:
    db = opened(tmp_path)
    of = client(db)
    first, second = life("00000001", AT_S), life("00000001", AT_S + 5000)
    take(db, of, *first[:2], told("Start", "other", AT_S, nas_identifier="another-ap"))
    on = told("Accounting-On", "", AT_S + 1000, acct_session_id=None)
    take(db, of, on, second[0], arrived_ms=(AT_S + 6000) * 1000)
    rows = sessions(db)
    assert [(row["boot"], row["ended_ms"], row["cause"]) for row in rows] == [
        ("another-ap#0", None, ""),
        ("library-ap#0", (AT_S + 60) * 1000, "power"),
        ("library-ap#1", None, ""),
    ]
    assert rows[1]["up_bytes"] == 4_294_967_000
    # Told twice, it ends nothing that began after it.
    take(db, of, on, arrived_ms=(AT_S + 6000) * 1000)
    assert [row["ended_ms"] for row in sessions(db)] == [None, (AT_S + 60) * 1000, None]
    # The true end, should it come, stands.
    take(db, of, first[3], arrived_ms=(AT_S + 6000) * 1000)
    assert sessions(db)[1]["ended_ms"] == (AT_S + 180) * 1000
    assert sessions(db)[1]["cause"] == "user"
    db.close()


def test_what_a_nas_lost_without_a_word_ends_a_day_later(tmp_path: Path) -> None:
    db = opened(tmp_path)
    of = client(db)
    take(db, of, *life("S1", AT_S)[:2])
    now_ms = (AT_S + 60) * 1000 + radius_store.SILENT_MS
    assert db.write_now(lambda conn: radius_store.close_silent(conn, now_ms)) == 0
    assert db.write_now(lambda conn: radius_store.close_silent(conn, now_ms + 1)) == 1
    assert db.write_now(lambda conn: radius_store.close_silent(conn, now_ms + 1)) == 0
    (row,) = sessions(db)
    assert (row["ended_ms"], row["cause"]) == ((AT_S + 60) * 1000, "lost")
    db.close()


def test_no_address_and_no_name_is_stored(tmp_path: Path) -> None:
    """Also where a NAS puts the address into the session's name."""
    db = opened(tmp_path)
    of = client(db)
    take(db, of, *life(f"guest-{ADDRESS}-1", AT_S))
    (row,) = sessions(db)
    assert len(row["guest"]) == 32
    assert row["day"] == "2026-05-20"
    spelled = [
        ADDRESS,
        ADDRESS.lower(),
        ADDRESS.replace("-", ":").lower(),
        ADDRESS.replace("-", ""),
        ADDRESS.replace("-", "").lower(),
    ]
    assert lies_in(tmp_path, *spelled, "somebody") == set()
    db.close()


def test_one_device_is_one_pseudonym_on_a_day_and_another_on_the_next(tmp_path: Path) -> None:
    db = opened(tmp_path)
    of = client(db)
    for number, at_s in enumerate((AT_S, AT_S + 3600, AT_S + 86_400)):
        take(
            db,
            of,
            told("Start", f"S{number}", at_s, calling_station_id="02:00:5e:10:00:01"),
            arrived_ms=(at_s + 1) * 1000,
        )
    guests = [row["guest"] for row in sessions(db)]
    assert guests[0] == guests[1] != guests[2]
    db.close()
