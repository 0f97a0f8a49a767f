"""The hub's side: who is told what, when, sealed to which key; and what terminals say of it."""

from pathlib import Path

import pytest

from edge_agent.attendance import card
from hub.attendance import gather
from hub.db import Connection
from hub.fleet import outbox
from hub.staff import roster, roster_keys, roster_store
from hub.staff.roster import CardRow, Kind
from tests.attendance.close.hall import hall, ms
from tests.certificates import pki
from tests.roster.parts import HANAKO, TARO, TERMINAL, add_card, opened, town
from wire.messages import BATCH_BYTES, RosterReport
from wire.roster import CardKind, RosterCard
from wire.sealed import CannotOpen

KEY = bytes(range(32))


# ---- the rule


def row(
    token: str, state: str = "issued", *, held: bool = True, from_ms: int = 0, name: str = "山田", kind: str = ""
) -> CardRow:
    """A row of the register."""
    return CardRow(token * 32, state, kind, name, held, from_ms)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row("a")], [("a", "issued", "山田")]),
        ([row("a", "lost")], [("a", "lost", "")]),
        ([row("a", "lost", held=False)], [("a", "lost", "")]),
        ([row("a", "returned", held=False)], []),
        # Found again and in somebody else's hands.
        ([row("a", "lost", held=False, from_ms=1), row("a", from_ms=2, name="佐藤")], [("a", "issued", "佐藤")]),
        # In somebody's hands counts before what came later.
        ([row("a", name="佐藤", from_ms=1), row("a", "lost", held=False, from_ms=2)], [("a", "issued", "佐藤")]),
        ([row("a", "returned", held=False, from_ms=3), row("a", "lost", held=False, from_ms=2)], []),
        ([row("b"), row("a", "lost")], [("a", "lost", ""), ("b", "issued", "山田")]),
    ],
)
def test_what_a_terminal_is_to_know_of_a_card(rows: list[CardRow], expected: list[tuple[str, str, str]]) -> None:
    for order in (rows, rows[::-1]):
        content = roster.content(KEY, order, [], None)
        assert [(one.token[0], one.state, one.name) for one in content.cards] == expected


def test_only_kinds_that_must_prove_themselves_are_told() -> None:
    kinds = [Kind("staff", "felica", mac=True), Kind("guest", "felica", mac=False)]
    rows = [row("a", kind="staff"), row("b", kind="guest"), row("c", "lost", kind="staff"), row("d", kind="old")]
    content = roster.content(KEY, rows, kinds, bytes(32))
    assert content.kinds == (CardKind("staff", "felica", bytes(32)),)
    assert [one.kind for one in content.cards] == ["staff", "", "staff", ""]
    assert roster.content(KEY, rows, kinds, None).kinds == ()


# ---- publishing


def test_each_terminal_is_told_with_its_own_key_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    with town(tmp_path, "terminal-1", "terminal-2") as one:
        one.add_terminal("tablet-1", "tablet")
        one.card(HANAKO, "山田花子")
        one.card(TARO, "佐藤太郎", state="lost")
        assert one.publish().devices == ("terminal-1", "terminal-2")
        out = one.outgoing()
        assert set(out) == {"terminal-1", "terminal-2"}
        for name, message in out.items():
            content = opened(message, name)
            tokens = [card.token(content.card_key, number) for number in (HANAKO, TARO)]
            assert set(content.cards) == {RosterCard(tokens[0], "issued", "山田花子"), RosterCard(tokens[1], "lost")}
        with pytest.raises(CannotOpen):
            opened(out["terminal-1"], "terminal-1", pki().identity("terminal-2"))
        # Neither the database nor its write-ahead log shows the key, and the tables of the roster no name.
        stored = b"".join(path.read_bytes() for path in one.folder.glob("hub.db*"))
        assert one.keys.cards not in stored
        assert one.keys.cards.hex().encode() not in stored
        messages = one.db.read(
            lambda conn: conn.execute("SELECT message FROM outbox UNION SELECT message FROM roster").fetchall()
        )
        assert not any("山田".encode() in message for (message,) in messages)
        assert ((one.folder / "cards.key").stat().st_mode & 0o777) == 0o600


def test_the_same_is_not_sent_twice_and_a_change_is_the_next_generation(tmp_path: Path) -> None:
    with town(tmp_path) as one:
        one.card(HANAKO, "山田花子")
        assert one.publish().devices == (TERMINAL,)
        first = one.made()
        assert first.generation == 1
        assert one.publish().devices == ()
        # Marked, and yet nothing a terminal would see is another.
        one.db.write_now(lambda conn: roster_store.touch(conn, one.now_ms))
        assert one.db.read(lambda conn: roster_store.due(conn, one.now_ms))
        assert one.publish().devices == ()
        assert not one.db.read(lambda conn: roster_store.due(conn, one.now_ms))
        assert one.made() == first
        one.set_state(HANAKO, "lost")
        assert one.publish().devices == (TERMINAL,)
        assert (one.made().incarnation, one.made().generation) == (first.incarnation, 2)
        assert [one_.state for one_ in opened(one.made()).cards] == ["lost"]


def test_a_town_that_keeps_no_names_sends_none(tmp_path: Path) -> None:
    with town(tmp_path) as one:
        one.card(HANAKO, "山田花子")
        one.db.write_now(lambda conn: conn.execute("UPDATE staff_setting SET names_kept = 0"))
        one.publish()
        assert [found.name for found in opened(one.made()).cards] == [""]


def test_a_new_terminal_gets_it_when_it_has_its_certificate_and_one_on_hold_does_not(tmp_path: Path) -> None:
    with town(tmp_path) as one:
        one.card(HANAKO, "山田花子")
        one.publish()
        second = one.add_terminal("terminal-2")
        one.db.write_now(lambda conn: outbox.hold(conn, second, "stolen", one.now_ms, "hanako"))
        assert one.publish().devices == ()
        one.db.write_now(lambda conn: outbox.release(conn, second))
        assert one.publish().devices == ("terminal-2",)
        one.db.write_now(lambda conn: conn.execute("UPDATE certificate SET revoked_ms = 1"))
        one.set_state(HANAKO, "lost")
        assert one.publish().devices == ()


def test_a_certificate_that_is_not_there_to_read_holds_up_nobody_else(tmp_path: Path) -> None:
    with town(tmp_path) as one:
        one.card(HANAKO, "山田花子")
        first, second = one.id_of("terminal-1"), one.add_terminal("terminal-2")
        one.db.write_now(lambda conn: conn.execute("UPDATE certificate SET chain = '' WHERE device_id = ?", (first,)))
        assert one.publish().devices == ("terminal-2",)
        assert [due.device_id for due in one.db.read(lambda conn: roster_store.due(conn, one.now_ms))] == []
        assert second != first


def test_another_certificate_gets_it_sealed_anew(tmp_path: Path) -> None:
    with town(tmp_path) as one:
        one.card(HANAKO, "山田花子")
        one.publish()
        first = one.made()
        renewed = pki().identity(TERMINAL, tmp_path / "renewed")
        one.now_ms += 1000
        one.certify(TERMINAL, renewed)
        assert one.publish().devices == (TERMINAL,)
        again = one.made()
        assert again.generation == first.generation + 1
        assert opened(again, identity=renewed) == opened(first)
        with pytest.raises(CannotOpen):
            opened(again)
        # The renewed one ends, the old one is good for longer: back to that.
        one.db.write_now(
            lambda conn: conn.execute("UPDATE certificate SET revoked_ms = 1 WHERE issued_ms > ?", (one.now_ms - 2001,))
        )
        assert one.publish().devices == (TERMINAL,)
        assert opened(one.made()) == opened(first)


def test_more_cards_than_fit_is_one_sentence_and_the_roster_before_stays(tmp_path: Path) -> None:
    with town(tmp_path) as one:
        one.card(HANAKO, "山田花子")
        one.publish()
        before = one.made()

        def many(conn: Connection) -> None:
            for number in range(4000):
                add_card(conn, card.token(one.keys.cards, number.to_bytes(8)), "小鳥遊　左衛門之介")

        one.db.write_now(many)
        done = one.publish()
        assert (done.devices, done.error) == (
            (),
            "4001 cards do not fit into one message to a terminal; the roster before this one stays",
        )
        assert one.made() == before
        assert one.db.read(roster_store.error) == done.error
        # Not tried again each second, and well again after the next change.
        assert one.db.read(lambda conn: roster_store.due(conn, one.now_ms)) == []
        one.db.write_now(lambda conn: conn.execute("DELETE FROM card WHERE id > 1001"))
        one.db.write_now(lambda conn: roster_store.touch(conn, one.now_ms))
        assert one.publish().devices == (TERMINAL,)
        assert one.db.read(roster_store.error) == ""
        assert len(opened(one.made()).cards) == 1001


def test_a_thousand_cards_with_names_fit(tmp_path: Path) -> None:
    with town(tmp_path) as one:

        def many(conn: Connection) -> None:
            for number in range(1500):
                name = "".join(chr(0x4E00 + (number * prime) % 3000) for prime in (7, 131, 977, 1999))
                add_card(conn, card.token(one.keys.cards, number.to_bytes(8)), name)

        one.db.write_now(many)
        assert one.publish().error == ""
        (message,) = one.db.read(lambda conn: conn.execute("SELECT message FROM outbox").fetchone())
        assert len(message) <= BATCH_BYTES


# ---- keys


def test_a_broken_or_another_card_key_is_told_and_nothing_is_sent(tmp_path: Path) -> None:
    with town(tmp_path) as one:
        one.card(HANAKO, "山田花子")
        one.publish()
        path = one.folder / "cards.key"
        good = path.read_bytes()
        path.write_bytes(b"short")
        with pytest.raises(roster_keys.BadKey, match=r"cards\.key: found 5 bytes"):
            roster_keys.read(one.folder)
        assert path.read_bytes() == b"short"
        # Put back from a backup without its folder: a key was made anew, and it is not the one of the cards.
        path.unlink()
        one.db.write_now(lambda conn: roster_store.touch(conn, one.now_ms))
        done = one.publish()
        assert "not the key that cards were registered with" in done.error
        assert done.devices == ()
        path.write_bytes(good)
        one.set_state(HANAKO, "lost")
        assert one.publish() == roster_store.Published((TERMINAL,))
        path.unlink()
        one.db.write_now(lambda conn: roster_store.accept_key(conn, one.keys, one.now_ms))
        assert one.publish() == roster_store.Published((TERMINAL,))


# ---- what terminals say


def test_an_answer_takes_it_out_and_an_older_terminal_is_sent_it_again(tmp_path: Path) -> None:
    with town(tmp_path) as one:
        one.card(HANAKO, "山田花子")
        one.publish()
        made = one.made()
        assert not one.standing().applied
        one.tell(RosterReport(made.incarnation, made.generation, cards=1))
        assert one.outgoing() == {}
        standing = one.standing()
        assert (standing.applied, standing.generation, standing.cards, standing.error) == (True, 1, 1, "")
        one.come(made.incarnation, made.generation)
        assert one.outgoing() == {}
        # Its disk was made anew.
        one.come()
        assert one.outgoing() == {TERMINAL: made}
        one.tell(RosterReport(made.incarnation, made.generation))
        one.set_state(HANAKO, "lost")
        one.publish()
        one.come(made.incarnation, made.generation)
        assert one.outgoing() == {TERMINAL: one.made()}
        assert not one.standing().applied


def test_a_refusal_is_shown_and_is_not_sent_each_minute(tmp_path: Path) -> None:
    with town(tmp_path) as one:
        one.card(HANAKO, "山田花子")
        one.publish()
        one.tell(RosterReport("", 0, "refused", "sealed"))
        assert one.outgoing() == {}
        assert (one.standing().applied, one.standing().error) == (False, "sealed")
        one.come()
        assert one.outgoing() == {TERMINAL: one.made()}


def test_it_is_not_sent_for_ever_to_one_that_says_nothing(tmp_path: Path) -> None:
    with town(tmp_path) as one:
        one.card(HANAKO, "山田花子")
        one.publish()
        assert one.db.read(lambda conn: outbox.due(conn, one.now_ms, 10))
        assert not one.db.read(lambda conn: outbox.due(conn, one.now_ms + 600_001, 10))
        one.now_ms += 700_000
        one.come()
        assert one.db.read(lambda conn: outbox.due(conn, one.now_ms, 10))


def test_a_hub_put_back_from_a_backup_begins_a_new_incarnation(tmp_path: Path) -> None:
    with town(tmp_path) as one:
        one.card(HANAKO, "山田花子")
        one.publish()
        first = one.made()
        one.now_ms += 3_600_000
        # What it knows of after the backup was made.
        one.come(first.incarnation, 9)
        assert one.publish().devices == (TERMINAL,)
        later = one.made()
        assert later.incarnation > first.incarnation
        assert later.generation == 1
        one.come(first.incarnation, 9)
        assert one.publish().devices == ()
        one.tell(RosterReport(later.incarnation, 1))
        assert one.standing().applied


def test_a_refused_tap_is_in_no_month_although_somebody_holds_the_card(tmp_path: Path) -> None:
    with hall(tmp_path / "hub.db") as office:
        hanako = office.person("0001", card=1)
        office.tap(1, "2026-10-05 08:20")
        # A copy of the card that could not prove itself.
        office.tap(1, "2026-10-05 23:10", standing="refused")
        taps = office.read(lambda conn: gather.givens(conn, [hanako], "2026-10", None))[hanako].taps
        assert [tap.at_ms for tap in taps] == [ms("2026-10-05 08:20")]
