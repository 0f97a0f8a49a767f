"""What may be written, to whom it goes, how much fits on a shelf, and what a survey came to: rules by properties."""

import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.papers.store import PACKED_BYTES
from hub.tablet import content, shelf, survey, ticket
from hub.tablet.content import Item, Wrong
from hub.tablet.shelf import ITEMS_BYTES, List, Tablet, Town
from wire.shelf import Allowance, File, Question, Telephone, pack, unpack

TODAY = "2026-11-25"


def _item(number: int, **more: object) -> Item:
    made = Item(number, f"{number:032x}", "notice", f"お知らせ {number}", published_ms=number)
    return msgspec.structs.replace(made, **more)


# ---- what may be written


@given(st.text(max_size=200))
def test_any_title_is_taken_whole_or_refused(text: str) -> None:
    try:
        title = content.read_title(text)
    except Wrong:
        return
    assert 0 < len(title) <= content.TITLE
    assert content.read_title(title) == title


@given(st.text(max_size=400))
def test_districts_stand_each_once_however_they_are_parted(text: str) -> None:
    try:
        names = content.read_districts(text)
    except Wrong:
        return
    assert len(set(names)) == len(names)
    assert content.read_districts("、".join(names)) == names


def test_districts_are_parted_as_people_part_them() -> None:
    assert content.read_districts(" 東町、西町，東町\n南町, ") == ("東町", "西町", "南町")
    assert content.read_districts("") == ()
    with pytest.raises(Wrong):
        content.read_districts("あ" * 41)


def test_a_form_is_read_whole() -> None:
    form = {
        "title": " 雪の  お知らせ ",
        "text": "あ\r\nい\r\n",
        "urgent": "yes",
        "until": "R8.12.31",
        "districts": "東町",
    }
    text = content.read_text(form, TODAY)
    assert text == content.Text("雪の お知らせ", "あ\nい", urgent=True, districts=("東町",), until_day="2026-12-31")
    for name, value, word in (
        ("text", "あ" * 5001, "content_wrong_text"),
        ("until", "2026-11-24", "content_wrong_until"),
        ("until", "soon", "content_wrong_until"),
        ("title", "", "content_wrong_title"),
    ):
        with pytest.raises(Wrong) as wrong:
            content.read_text({**form, name: value}, TODAY)
        assert wrong.value.word == word


def test_questions_have_choices_where_they_are_chosen() -> None:
    form = {"question": " バスは 足りますか ", "way": "one", "choices": "はい\n\nいいえ\nはい"}
    assert content.read_question(form) == Question("バスは 足りますか", "one", ("はい", "いいえ"))
    assert content.read_question({**form, "way": "several"}).way == "several"
    assert content.read_question({**form, "way": "words"}) == Question("バスは 足りますか", "words")
    for more in ({"choices": "はい"}, {"choices": "\n".join(map(str, range(11)))}, {"choices": "あ" * 61 + "\nい"}):
        with pytest.raises(Wrong):
            content.read_question({**form, **more})
    with pytest.raises(Wrong):
        content.read_question({**form, "question": ""})
    full = _item(1, kind="survey", questions=(Question("q"),) * content.QUESTIONS)
    with pytest.raises(Wrong, match="content_wrong_questions"):
        content.read_change(full, form, "save")


def test_a_part_goes_by_its_place_and_a_typed_question_is_never_lost() -> None:
    item = _item(1, questions=(Question("a"), Question("b")), files=(File("0" * 64, 1, "image/png"),))
    assert content.read_change(item, {}, "save") == content.Change(item.questions)
    assert content.read_change(item, {}, "unask-0").questions == (Question("b"),)
    assert content.read_change(item, {}, "unfile-0").without == "0" * 64
    for act in ("unask-2", "unask-", "unask-x", "unfile-1", "unfile--1", "dance"):
        assert content.read_change(item, {}, act) == content.Change(item.questions)
    typed = {"question": "c", "way": "words"}
    assert content.read_change(item, typed, "look").questions[-1] == Question("c", "words")
    with pytest.raises(Wrong):
        content.read_change(item, {"question": " "}, "ask")


def test_a_file_is_told_by_its_first_bytes() -> None:
    assert content.media_type(b"%PDF-1.7 ...") == "application/pdf"
    assert content.media_type(b"\xff\xd8\xff\xe0") == "image/jpeg"
    assert content.media_type(b"\x89PNG\r\n\x1a\n") == "image/png"
    assert content.media_type(b"RIFF\x00\x00\x00\x00WEBPVP8 ") == "image/webp"
    for other in (b"", b"<html>", b"<?xml", b"RIFF\x00\x00\x00\x00WAVE", b"PK\x03\x04", b" %PDF-1.7"):
        with pytest.raises(Wrong):
            content.media_type(other)


@given(st.text(max_size=60))
def test_a_files_name_is_no_path(text: str) -> None:
    name = content.file_name(text)
    assert "/" not in name
    assert "\\" not in name
    assert len(name) <= 100
    assert name.isprintable()


def test_telephones_are_one_a_line() -> None:
    text = "保健センター, 0123-45-6789, 平日、8:30から\n\n役場，(0123) 45-6780"
    assert content.read_telephones(text) == (
        Telephone("保健センター", "0123-45-6789", "平日,8:30から"),
        Telephone("役場", "(0123) 45-6780"),
    )
    for bad in ("保健センター", "保健センター, でんわ", ", 0123-45-6789", "あ" * 101 + ", 0123", "x, 12"):
        with pytest.raises(Wrong) as wrong:
            content.read_telephones("役場, 0123-45\n" + bad)
        assert wrong.value.values == {"n": 2}
    with pytest.raises(Wrong, match="content_wrong_telephones"):
        content.read_telephones("役場, 0123\n" * 31)


@given(st.lists(st.tuples(st.text("東西南北町a", min_size=1, max_size=9), st.from_regex("[0-9]{3,8}", fullmatch=True))))
def test_what_the_form_shows_is_read_as_it_was(pairs: list[tuple[str, str]]) -> None:
    telephones = tuple(Telephone(name, number) for name, number in pairs[:30])
    assert content.read_telephones(content.telephone_lines(telephones)) == telephones


def test_what_is_missing_is_said_before_it_is_published() -> None:
    assert content.lacks(_item(1)) == ("content_lacks_text",)
    assert content.lacks(_item(1, kind="newsletter")) == ("content_lacks_file",)
    assert content.lacks(_item(1, kind="survey", text="x")) == ("content_lacks_questions",)
    assert content.lacks(_item(1, text="x")) == ()
    assert content.odd_marks(_item(1, text="漢字《かんじ》\n《だれ"))[0].line == 2


def test_an_item_goes_through_its_life() -> None:
    assert _item(1, published_ms=None).state(5) == "draft"
    assert _item(1, until_ms=6).state(5) == "published"
    assert _item(1, until_ms=5).state(5) == "over"
    assert _item(1, until_ms=5, withdrawn_ms=4).state(5) == "withdrawn"


# ---- the shelf


def test_a_district_shows_what_is_for_it_and_for_everybody() -> None:
    items = [_item(1), _item(2, districts=("東町",)), _item(3, districts=("西町", "東町"))]
    found = shelf.lists(items, ["東町", "西町", "", "東町"])
    shown = {district: [int(one.id, 16) for one in each.items] for district, each in found.items()}
    assert shown == {"東町": [3, 2, 1], "西町": [3, 1], "": [1]}


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5000)), max_size=40))
def test_as_many_as_fit_urgent_ones_first_then_the_newest(made: list[tuple[bool, int]]) -> None:
    # Text that does not get smaller.
    texts = [
        "".join(chr(0x4E00 + (n * 7919 + i * 104729) % 20_000) for i in range(long)) for n, (_, long) in enumerate(made)
    ]
    items = [_item(n + 1, urgent=urgent, text=texts[n]) for n, (urgent, _) in enumerate(made)]
    found = shelf.fitting(items)
    order = sorted(items, key=lambda item: (not item.urgent, -item.id))
    assert [one.id for one in found.items] == [item.name for item in order[: len(found.items)]]
    assert found.left_out == len(items) - len(found.items)
    assert len(zlib.compress(msgspec.json.encode(found.items), 9)) <= ITEMS_BYTES


def test_the_fullest_shelf_fits_into_a_message() -> None:
    def long(n: int, size: int) -> str:
        return "".join(chr(0x4E00 + (n * 7919 + i * 104729) % 20_000) for i in range(size))

    items = [_item(n, text=long(n, 3000)) for n in range(1, 30)]
    town = Town(long(1, 40), tuple(Telephone(long(n, 100), "0123-45-6789", long(n + 99, 100)) for n in range(30)))
    one = Tablet(1, "t" * 63, "1", "東町", 5, "0123-45-6780")
    made = shelf.content(one, town, shelf.fitting(items), "x" * 130, {1: Allowance("8981" * 5, 10**12, 1)})
    assert len(pack(made)) <= PACKED_BYTES
    assert unpack(pack(made)) == made


def test_the_number_to_ask_stands_first_and_once() -> None:
    town = Town("町", (Telephone("保健", "1"), Telephone("役場", "2")))
    made = shelf.content(Tablet(1, "a", contact="2"), town, List(()), "t", {})
    assert made.telephones == (Telephone("町", "2"), Telephone("保健", "1"))
    assert shelf.content(Tablet(1, "a"), town, List(()), "t", {}).telephones == town.telephones


def test_the_allowance_is_the_lines_else_the_loans_beginning() -> None:
    said = Allowance("8981", 3_000_000_000, 7)
    assert shelf.content(Tablet(1, "a", since_ms=5), Town(), List(()), "t", {1: said}).allowance == said
    assert shelf.content(Tablet(1, "a", since_ms=5), Town(), List(()), "t", {}).allowance == Allowance(since_ms=5)
    assert shelf.content(Tablet(1, "a"), Town(), List(()), "t", {2: said}).allowance is None


# ---- tickets

KEY = bytes(range(32))


@given(st.from_regex("[a-z0-9-]{1,63}", fullmatch=True), st.text(max_size=40))
def test_a_ticket_opens_for_its_own_tablet_and_certificate(device: str, key_name: str) -> None:
    header = "Bearer " + ticket.make(KEY, device, key_name)
    assert ticket.device_of(header) == device
    assert ticket.is_good(KEY, header, device, key_name)
    assert not ticket.is_good(KEY, header, device + "a", key_name)
    assert not ticket.is_good(KEY, header, device, key_name + "a")
    assert not ticket.is_good(bytes(32), header, device, key_name)
    assert not ticket.is_good(KEY, header[:-1], device, key_name)


@given(st.text(max_size=90))
def test_anything_else_opens_nothing(header: str) -> None:
    assert not ticket.is_good(KEY, header, ticket.device_of(header), "k")


# ---- surveys

ONE = Question("好きな季節は", "one", ("春", "秋"))
SEVERAL = Question("困りごとは", "several", ("雪", "買い物"))
WORDS = Question("ひとこと", "words")


def test_results_count_each_tablet_once() -> None:
    given_ = [
        (("春",), ("雪", "買い物"), ("いつもありがとう",)),
        (("秋",), ("雪", "雪"), ()),
        (("春",),),
        ((), (), (" ",)),
    ]
    one, several, words = survey.results([ONE, SEVERAL, WORDS], given_)
    assert (one.answered, [(bar.choice, bar.n, bar.permille) for bar in one.bars]) == (
        3,
        [("春", 2, 667), ("秋", 1, 333)],
    )
    assert [(bar.choice, bar.n) for bar in several.bars] == [("雪", 2), ("買い物", 1)]
    assert (several.answered, words.words, words.answered) == (2, ("いつもありがとう",), 1)
    # What is none of the choices is shown, not swallowed.
    assert survey.results([ONE], [(("冬",),)])[0].bars[-1].choice == "冬"
    assert survey.results([ONE], [])[0].bars[0].permille == 0


@given(st.lists(st.lists(st.lists(st.sampled_from(["春", "秋", "冬", ""]), max_size=4), max_size=3), max_size=20))
def test_no_answer_is_lost_or_counted_twice(given_: list[list[list[str]]]) -> None:
    result = survey.results([ONE], given_)[0]
    said = [{word for word in answers[0] if word} for answers in given_ if answers]
    assert result.answered == sum(bool(words) for words in said)
    assert sum(bar.n for bar in result.bars) == sum(len(words) for words in said)
    assert all(0 <= bar.permille <= 1000 for bar in result.bars)


def test_a_file_of_answers_has_a_column_a_question() -> None:
    assert survey.table([ONE, SEVERAL]) == ["1. 好きな季節は", "2. 困りごとは"]
    assert survey.cells([ONE, SEVERAL], [["春"], ["雪", "買い物"]]) == ["春", "雪 / 買い物"]
    assert survey.cells([ONE, SEVERAL], []) == ["", ""]
