"""Whatever comes, the hub goes on, stores what it acknowledges, and shows the count of the rest."""

import random
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.attendance import store as attendance
from hub.db import Db
from hub.fleet import store
from hub.fleet.known import Known
from hub.ingest_group import Group
from tests.broker import Broker
from tests.ingest.parts import SPOOL, Device, Hub, run_of, soon
from wire import codec
from wire.messages import BODY_OF_KIND

TOPICS = ("machinaka/1/a/up", "machinaka/1/a/presence", "machinaka/1/A/up", "machinaka/1/a/ack", "x")

numbers = st.one_of(st.integers(0, 9), st.integers(-(2**70), 2**70), st.sampled_from([2**63 - 1, -(2**63) + 1]))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)
fields = sorted({field for type_ in BODY_OF_KIND.values() for field in type_.__struct_fields__})
interface = st.fixed_dictionaries({"name": st.text(max_size=4), "rx_bytes": numbers, "tx_bytes": numbers})
full_health = st.fixed_dictionaries(
    dict.fromkeys(("cpu_permille", "memory_total", "memory_available", "disk_total", "disk_free", "uptime_s"), numbers),
    optional={"temperature_milli_c": numbers, "spool_urgent": numbers, "spool_bulk": numbers},
)
bodies = st.one_of(
    values,
    st.dictionaries(st.sampled_from(fields), values, max_size=6),
    full_health,
    st.fixed_dictionaries({"interfaces": st.lists(interface, max_size=3)}),
    st.fixed_dictionaries({"wall_ms": numbers, "mono_ms": numbers}),
    st.fixed_dictionaries({"counts": st.dictionaries(st.text(max_size=3), numbers, max_size=3)}),
)
records = st.tuples(
    numbers,
    st.one_of(st.sampled_from(sorted(BODY_OF_KIND)), st.text(max_size=5)),
    st.text(max_size=4),
    numbers,
    numbers,
    st.sampled_from(["synced", "held", "unset", "?"]),
    bodies,
)
batches = st.fixed_dictionaries(
    {
        "spool": st.sampled_from([SPOOL, "f" * 16, "?"]),
        "lane": st.sampled_from(["urgent", "bulk", "fast"]),
        "after": st.one_of(st.just(0), numbers),
        "records": st.lists(records, max_size=5),
    },
    optional={"missing": numbers},
)


@pytest.fixture(scope="module")
def intake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Db, Known]]:
    """One database for all examples, as in life."""
    db = Db(tmp_path_factory.mktemp("fuzz") / "hub.db")
    db.open()
    yield db, Known(db)
    db.close()


def _encoded(message: dict[str, object], *, numbered: bool, deflated: bool) -> bytes:
    import msgspec

    if numbered:
        rows = message["records"]
        assert isinstance(rows, list)
        message = message | {"after": 0, "records": [[i, *row[1:]] for i, row in enumerate(rows, 1)]}
    try:
        data = msgspec.json.encode(message)
    except (msgspec.MsgspecError, UnicodeEncodeError, OverflowError):
        data = repr(message).encode(errors="replace")
    return zlib.compress(data) if deflated else data


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_message_becomes_rows_that_the_database_takes(intake: tuple[Db, Known], data: st.DataObject) -> None:
    db, known = intake
    group = Group(known, 1_790_000_000_000)
    messages = data.draw(
        st.lists(
            st.one_of(
                st.binary(max_size=60),
                st.builds(_encoded, batches, numbered=st.booleans(), deflated=st.booleans()),
            ),
            min_size=1,
            max_size=3,
        )
    )
    for message in messages:
        group.add(data.draw(st.sampled_from(TOPICS)), message)
    db.write_now(group.close())
    for _, ack in group.acks:
        told = codec.decode_ack(ack)
        # In its lane, or kept apart because its numbers were another boot's.
        through, apart = db.read(
            lambda conn, told=told: conn.execute(  # type: ignore[misc]
                "SELECT (SELECT max(through) FROM lane WHERE spool = :spool AND lane = :lane), "
                "(SELECT max(seq) FROM clone_record WHERE spool = :spool AND lane = :lane)",
                {"spool": told.spool, "lane": told.lane},
            ).fetchone()
        )
        assert told.through == through or told.through <= apart
    for row in db.read(store.devices):
        assert row.name == "a"
    db.read(store.totals)
    db.read(store.quarantine)
    db.read(attendance.latest_taps)
    db.read(lambda conn: store.health_series(conn, 1, 0, 2**42))


def test_noise_at_a_real_hub(hub: Hub, device: Device, broker: Broker) -> None:
    chosen = random.Random(11)
    noisy = Device(broker.port, "noisy")
    good = codec.encode(run_of(0, 50, spool="d" * 16))
    sent = 0
    for i in range(300):
        kind = i % 4
        if kind == 0:
            noise = chosen.randbytes(chosen.randrange(0, 300))
        elif kind == 1:
            noise = good[: chosen.randrange(len(good))]
        elif kind == 2:
            noise = b"x\x9c" + chosen.randbytes(50)
        else:
            noise = zlib.compress(b"[" * 100_000)
        noisy.send(noise)
        sent += 1
        if i % 50 == 0:
            device.deliver(run_of(i // 50 * 10, 10))
    assert soon(lambda: hub.db.read(store.totals).unreadable == sent)
    assert noisy.ack(0.2) is None
    assert hub.seqs() == list(range(1, 61))
    assert hub.seqs(spool="d" * 16) == []
    noisy.drop()


def test_a_flood_of_names_does_not_fill_the_memory(tmp_path: Path) -> None:
    """Boots, lanes and kinds that no device has: all are forgotten when there are too many."""
    db = Db(tmp_path / "hub.db")
    db.open()
    known = Known(db)
    for n in range(3):
        group = Group(known, 1_790_000_000_000)
        for i in range(200):
            one = f'{{"spool":"{n * 200 + i:016x}","lane":"bulk","after":0,"records":[[1,"k{"abcdefghij"[i % 10]}"'
            group.add("machinaka/1/a/up", f'{one},"boot {n} {i}",1,1,"synced",{{}}]]}}'.encode())
        db.write_now(group.close())
    assert known.size > 1_000
    known.forget()
    assert known.size == 0
    assert db.read(store.totals).events == 600
    db.close()
