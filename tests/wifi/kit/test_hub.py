"""The hub's side of kits: who is told what, when, sealed to which key; and what access points say of it."""

import os
import secrets
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.db import Connection
from hub.fleet import outbox
from hub.wifi import keys, kit, kit_store, terms_store, voucher_store
from hub.wifi.kit import VoucherRow
from tests.certificates import pki
from tests.roster.parts import DAY_MS, certify
from tests.wifi.kit.parts import NOW_MS, POINT, opened, town
from wire import orders, signed
from wire.kit import Terms, code_hash
from wire.messages import BATCH_BYTES, KitReport, TermsLanguage
from wire.sealed import CannotOpen

# ---- the rule


def row(number: int, *, until_ms: int = NOW_MS + 1, check: str = "k", withdrawn: bool = False) -> VoucherRow:
    """A voucher of the third batch."""
    return VoucherRow(3, number, f"{number:032x}", 60, 1, until_ms, check, withdrawn)


def test_vouchers_that_are_over_withdrawn_or_of_another_key_are_in_no_kit() -> None:
    rows = [row(2), row(1), row(3, until_ms=NOW_MS), row(4, check="old"), row(5, withdrawn=True)]
    assert [one.id for one in kit.vouchers(rows, "k", NOW_MS)] == ["3-001", "3-002"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 500), st.integers(-5, 5), st.booleans(), st.booleans()), max_size=30))
def test_a_kit_has_the_usable_vouchers_and_no_others(drawn: list[tuple[int, int, bool, bool]]) -> None:
    rows = [
        row(number, until_ms=NOW_MS + left, check="k" if ours else "x", withdrawn=gone)
        for number, left, ours, gone in drawn
    ]
    found = kit.vouchers(rows, "k", NOW_MS)
    assert sorted(one.code for one in found) == sorted(
        one.code_hash for one in rows if one.until_ms > NOW_MS and one.key_check == "k" and not one.withdrawn
    )
    assert list(found) == sorted(found, key=lambda one: one.code)


@pytest.mark.parametrize(
    ("age_ms", "report_then", "last_use", "over"),
    [
        (0, 0, 0, False),
        (0, 4, 4, False),
        (0, 4, 5, True),
        (orders.STANDING_MS * 2 // 3 - 1, 0, 0, False),
        (orders.STANDING_MS * 2 // 3, 0, 0, True),
        # The hub's clock was put back: the order may be of the future.
        (-1, 0, 0, True),
    ],
)
def test_a_standing_order_is_signed_anew_after_its_use_or_with_a_third_left(
    age_ms: int, report_then: int, last_use: int, over: bool
) -> None:
    assert kit.is_standing_over(NOW_MS - age_ms, report_then, last_use, NOW_MS) == over


# ---- publishing


def test_an_access_point_with_a_certificate_is_told_everything_it_needs(tmp_path: Path) -> None:
    with town(tmp_path) as hall:
        id_ = hall.id_of(POINT)
        hall.write(
            lambda conn: conn.execute("INSERT INTO item (device_id, place, changed_ms) VALUES (?, '図書館', 0)", (id_,))
        )
        batch = hall.vouchers("K7M4Q29XRT", minutes=1440, devices=2)
        assert hall.due
        assert hall.publish() == (POINT,)
        content = hall.content()
        key = keys.voucher_key(hall.keys)
        assert content.portal_host == "portal.machinaka.internal"
        assert content.chain.count("BEGIN CERTIFICATE") == 2
        assert "PRIVATE KEY" in content.key
        assert (content.place, content.contact) == ("図書館", "")
        assert content.terms == terms_store.shipped()
        assert [(one.code, one.id, one.minutes, one.devices) for one in content.vouchers] == [
            (code_hash(key, "k7m4q-29xrt"), f"{batch}-001", 1440, 2)
        ]
        assert len(content.day_keys) == 8
        assert content.sealing_key == keys.sealing_key(hall.keys, content.day_keys[0].day[:7])
        assert content.radius_secret == keys.radius_secret(hall.keys)
        assert len(hall.outgoing()[POINT].sealed) < 90_000


def test_the_standing_order_in_a_kit_is_one_that_the_access_point_may_carry_out(tmp_path: Path) -> None:
    with town(tmp_path) as hall:
        hall.publish()
        order = hall.content().standing
        assert order is not None
        verb = orders.VERBS[order.name]
        assert orders.read_arguments(verb, order.arguments) == orders.Disaster("begin", "standing", 1440)
        assert order.not_after_ms == hall.now_ms + orders.STANDING_MS
        again = hall.signing.order(POINT, order.id, order.name, order.arguments, order.not_after_ms)
        # Signed for this access point: its own nonce aside the same bytes.
        as_signed = signed.order_bytes(POINT, order)
        assert as_signed == signed.order_bytes(POINT, msgspec.structs.replace(again, nonce=order.nonce))
        hall.touch()
        hall.publish()
        assert hall.content().standing == order


def test_a_used_standing_order_is_replaced(tmp_path: Path) -> None:
    with town(tmp_path, "ap-1", "ap-2") as hall:
        hall.publish()
        first, other = hall.content("ap-1").standing, hall.content("ap-2").standing
        id_ = hall.id_of("ap-1")

        def used(conn: Connection) -> None:
            for run, state in (("drill-1", "begun"), ("standing", "refused"), ("standing", "begun")):
                conn.execute(
                    "INSERT INTO disaster_report (device_id, run, state, told_by, ends_ms, evidence, at_ms) "
                    "VALUES (?, ?, ?, 'button', 0, '[]', 0)",
                    (id_, run, state),
                )

        hall.write(used)
        assert hall.publish() == ("ap-1",)
        assert hall.content("ap-1").standing not in (None, first)
        assert hall.content("ap-2").standing == other
        assert hall.publish() == ()


def test_who_has_the_same_is_left_alone_and_a_change_goes_to_all(tmp_path: Path) -> None:
    with town(tmp_path, "ap-1", "ap-2") as hall:
        assert hall.publish() == ("ap-1", "ap-2")
        assert not hall.due
        hall.touch()
        assert hall.due
        assert hall.publish() == ()
        assert not hall.due
        hall.vouchers("K7M4Q29XRT")
        assert hall.due
        assert hall.publish() == ("ap-1", "ap-2")
        assert hall.made("ap-1").generation == 2


def test_a_new_day_brings_its_key_and_keeps_that_of_yesterday(tmp_path: Path) -> None:
    with town(tmp_path) as hall:
        hall.publish()
        first = hall.content().day_keys
        assert not hall.due
        assert hall.publish(after_ms=DAY_MS) == (POINT,)
        second = hall.content().day_keys
        assert second[:8] == first
        assert len(second) == 9


def test_a_renewed_certificate_gets_the_kit_sealed_anew(tmp_path: Path) -> None:
    with town(tmp_path) as hall:
        hall.publish()
        other = pki().identity(POINT, tmp_path / "renewed")
        certify(hall.db, POINT, other, hall.now_ms + 1)
        assert hall.due
        assert hall.publish() == (POINT,)
        assert opened(hall.made(), identity=other).portal_host
        with pytest.raises(CannotOpen):
            opened(hall.made())


def test_nobody_else_gets_a_kit(tmp_path: Path) -> None:
    with town(tmp_path, "ap-1") as hall:
        hall.add("terminal-1", "terminal")
        hall.add("tablet-1", "tablet")
        hall.add("ap-held")
        hall.add("ap-revoked")
        held, revoked = hall.id_of("ap-held"), hall.id_of("ap-revoked")
        hall.write(lambda conn: outbox.hold(conn, held, "stolen", hall.now_ms, "hanako"))
        hall.write(lambda conn: conn.execute("UPDATE certificate SET revoked_ms = 1 WHERE device_id = ?", (revoked,)))
        assert hall.publish() == ("ap-1",)
        hall.write(lambda conn: outbox.release(conn, held))
        assert hall.due
        assert hall.publish() == ("ap-held",)


def test_a_kit_opens_at_its_own_access_point_only(tmp_path: Path) -> None:
    with town(tmp_path, "ap-1", "ap-2") as hall:
        hall.publish()
        for name, identity in (("ap-1", "ap-2"), ("ap-2", "ap-1")):
            with pytest.raises(CannotOpen):
                opened(hall.made(name), name, pki().identity(identity))


def test_nothing_of_a_kit_can_be_read_in_the_database(tmp_path: Path) -> None:
    with town(tmp_path) as hall:
        hall.vouchers("K7M4Q29XRT")
        hall.publish()
        content = hall.content()
        hall.db.read(lambda conn: conn.execute("SELECT 1").fetchall())
        whole = b"".join(path.read_bytes() for path in hall.folder.glob("hub.db*"))
        assert b"K7M4Q" not in whole
        assert content.key.encode()[40:80] not in whole
        assert content.radius_secret.encode() not in whole
        for secret in (content.voucher_key, *(day.key for day in content.day_keys)):
            assert secret not in whole
            assert secret.hex().encode() not in whole


def test_what_does_not_fit_is_said_and_leaves_what_there_is(tmp_path: Path) -> None:
    with town(tmp_path) as hall:
        hall.publish()
        before = hall.made()
        key = keys.voucher_key(hall.keys)
        for batch in range(5):
            hall.vouchers(*(f"{batch}{number:09}" for number in range(500)))
        assert hall.publish() == ()
        assert "2500 vouchers do not fit" in hall.error
        assert hall.made() == before
        # It is not tried again until something has changed, and then all is well.
        assert not hall.due
        hall.write(lambda conn: voucher_store.withdraw(conn, 1, "hanako", hall.now_ms))
        assert hall.due
        assert key not in hall.error.encode()
        for batch in range(2, 5):
            hall.write(lambda conn, one=batch: voucher_store.withdraw(conn, one, "hanako", hall.now_ms))
        assert hall.publish() == (POINT,)
        assert hall.error == ""
        assert len(hall.content().vouchers) == 500


def test_how_many_more_vouchers_fit_is_known_before_they_are_made(tmp_path: Path) -> None:
    with town(tmp_path) as hall:
        files = hall.files

        def room(count: int) -> int | None:
            more = kit.vouchers(
                [row(number, check=files.voucher_check) for number in range(count)], files.voucher_check, NOW_MS
            )
            more = tuple(msgspec.structs.replace(one, code=secrets.token_hex(16)) for one in more)
            return hall.db.read(lambda conn: kit_store.overfull(conn, files, NOW_MS, more=more))

        assert room(500) is None
        left = room(5000)
        assert left is not None
        assert 800 < left < 2500
        assert room(left) is None
        big: dict[TermsLanguage, str] = {"ja": os.urandom(9_000).hex()[:20_000], "en": os.urandom(9_000).hex()}
        fit = hall.db.read(lambda conn: kit_store.overfull(conn, files, NOW_MS, terms=Terms("1", big)))
        assert fit is None
        larger: dict[TermsLanguage, str] = {
            language: os.urandom(10_000).hex() for language in ("ja", "ja-easy", "en", "ko", "zh-Hans", "zh-Hant")
        }
        assert hall.db.read(lambda conn: kit_store.overfull(conn, files, NOW_MS, terms=Terms("1", larger))) is not None


def test_a_kit_at_its_largest_fits_into_a_message(tmp_path: Path) -> None:
    with town(tmp_path, "a" * 63) as hall:
        hall.vouchers("K7M4Q29XRT")
        files = hall.files
        filling = kit.PACKED_BYTES
        large = msgspec.structs.replace(files, radius_secret=os.urandom(kit.PACKED_BYTES).hex()[:150])
        found = hall.db.read(lambda conn: kit_store.plan(conn, hall.signing, large, hall.now_ms))
        made = msgspec.structs.replace(found.kits[0], packed=os.urandom(filling))
        one = msgspec.structs.replace(found, kits=(made,))
        assert hall.db.write_now(lambda conn: kit_store.publish(conn, hall.signing, one, hall.now_ms)) == ("a" * 63,)
        ((size,),) = hall.rows("SELECT length(message) FROM kit")
        assert isinstance(size, int)
        assert size <= BATCH_BYTES


# ---- what access points say


def test_an_answer_takes_it_out_of_the_outbox_and_is_shown(tmp_path: Path) -> None:
    with town(tmp_path) as hall:
        hall.publish()
        made = hall.made()
        (standing,) = hall.db.read(kit_store.standings)
        assert (standing.device, standing.applied, standing.terms) == (POINT, False, "shipped-1-180")
        hall.tell(KitReport("", 0, "refused", "sealed"))
        (standing,) = hall.db.read(kit_store.standings)
        assert (standing.applied, standing.error) == (False, "sealed")
        assert not hall.outgoing()
        # It comes, with nothing: it is sent again.
        hall.come()
        assert hall.outgoing()[POINT] == made
        hall.follow()
        (standing,) = hall.db.read(kit_store.standings)
        assert (standing.applied, standing.error) == (True, "")
        assert not hall.outgoing()
        hall.come(made.incarnation, made.generation)
        assert not hall.outgoing()


def test_an_access_point_that_knows_more_gets_a_new_incarnation(tmp_path: Path) -> None:
    with town(tmp_path) as hall:
        hall.publish()
        first = hall.made()
        hall.tell(KitReport(first.incarnation, 9))
        # Not at once: what was made a moment ago may be on its way.
        hall.now_ms += 700_000
        assert hall.due
        assert hall.publish() == (POINT,)
        second = hall.made()
        assert second.incarnation > first.incarnation
        assert second.generation == 1
        assert hall.publish() == ()
