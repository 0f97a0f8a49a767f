"""An item of content for tablets (rule): what may be written, what may be published, and to whom.

1. A newsletter, a notice or a survey has a title; a notice a text, a newsletter a file or a text, a survey questions.
2. Texts are plain paragraphs with furigana as in `wire/terms_text.py`; a mark that is no furigana is told, and does not
   hinder.
3. A file is a PDF or a picture, told by its first bytes and never by its name.
4. It goes to districts by name; without one to everybody, also to tablets that nobody has.
5. What was published stays as it was; another version is another item.  It can be withdrawn, once.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, get_args

import msgspec

from hub import day as days
from wire import shelf, terms_text
from wire.shelf import File, MediaType, Question, Telephone

Kind = Literal["newsletter", "notice", "survey"]
State = Literal["draft", "published", "withdrawn", "over"]
Way = Literal["one", "several", "words"]

KINDS: tuple[Kind, ...] = get_args(Kind)
WAYS: tuple[Way, ...] = get_args(Way)
TITLE, TEXT, QUESTION, CHOICE, DISTRICT = 80, 5000, 200, 60, 40
QUESTIONS, CHOICES, FILES, DISTRICTS, TELEPHONES = 20, 10, 10, 20, 30
FILE_BYTES = 30_000_000

# What a draft's form has; `saved` is the mark of the change that it was filled in after.
FIELDS = ("title", "text", "urgent", "districts", "until", "question", "way", "choices", "file", "saved", "do")

# The first bytes of each kind of file that a tablet shows.
_BEGINS: tuple[tuple[bytes, MediaType], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
)


class Wrong(Exception):
    """What was typed cannot be taken; `word` is the sentence that says why, `values` what stands in it."""

    def __init__(self, word: str, **values: object) -> None:
        super().__init__(word)
        self.word, self.values = word, values


class Item(msgspec.Struct, frozen=True):
    """An item of content as it stands; `name` is what devices know it by, times in ms, `until_ms` 0: no end."""

    id: int
    name: str
    kind: Kind
    title: str
    text: str = ""
    urgent: bool = False
    questions: tuple[Question, ...] = ()
    districts: tuple[str, ...] = ()
    published_ms: int | None = None
    published_by: str = ""
    until_ms: int = 0
    withdrawn_ms: int | None = None
    withdrawn_by: str = ""
    made_by: str = ""
    made_ms: int = 0
    changed_ms: int = 0
    files: tuple[File, ...] = ()

    def state(self, now_ms: int) -> State:
        """Where it is in its life."""
        if self.published_ms is None:
            return "draft"
        if self.withdrawn_ms is not None:
            return "withdrawn"
        return "over" if self.until_ms and self.until_ms <= now_ms else "published"

    def is_for(self, district: str) -> bool:
        """Whether a tablet in a district shows it; one whose district is not known shows what is for everybody."""
        return not self.districts or district in self.districts

    @property
    def plain_title(self) -> str:
        """The title without furigana, for lists of the office."""
        return terms_text.plain(terms_text.runs(self.title))

    @property
    def size_bytes(self) -> int:
        """What its files weigh, each once."""
        return sum({file.digest: file.size_bytes for file in self.files}.values())

    def on_shelf(self) -> shelf.Item:
        """As a tablet is told of it."""
        return shelf.Item(
            self.name,
            self.kind,
            self.title,
            self.published_ms or 0,
            self.until_ms,
            self.text,
            self.urgent,
            self.files,
            self.questions,
        )


class Text(msgspec.Struct, frozen=True):
    """What a draft's form says; `until_day` is the last day on which it is shown, or empty."""

    title: str
    text: str
    urgent: bool
    districts: tuple[str, ...]
    until_day: str


class Change(msgspec.Struct, frozen=True):
    """What becomes of a draft's parts: all its questions, and the digest of a file that goes, or empty."""

    questions: tuple[Question, ...]
    without: str = ""


def read_kind(text: str) -> Kind:
    """Raises Wrong."""
    for kind in KINDS:
        if kind == text:
            return kind
    raise Wrong("content_wrong_kind")


def read_title(text: str) -> str:
    """A title of one line. Raises Wrong."""
    title = " ".join(text.split())
    if not 0 < len(title) <= TITLE or not title.isprintable():
        raise Wrong("content_wrong_title", n=TITLE)
    return title


def read_text(form: Mapping[str, str], today: str) -> Text:
    """A draft's form. Raises Wrong."""
    text = form.get("text", "").replace("\r\n", "\n").strip()
    if len(text) > TEXT:
        raise Wrong("content_wrong_text", n=TEXT, found=len(text))
    title, districts = read_title(form.get("title", "")), read_districts(form.get("districts", ""))
    return Text(title, text, form.get("urgent") == "yes", districts, read_last_day(form.get("until", ""), today))


def read_last_day(text: str, today: str) -> str:
    """The last day on which an item is shown, as YYYY-MM-DD; empty for no end. Raises Wrong."""
    if not text.strip():
        return ""
    try:
        day = days.parse(text)
    except ValueError:
        raise Wrong("content_wrong_until") from None
    if day < today:
        raise Wrong("content_wrong_until")
    return day


def read_districts(text: str) -> tuple[str, ...]:
    """Districts by name, parted by commas or lines. Raises Wrong."""
    for mark in ("、", "，", "\n", "\r"):
        text = text.replace(mark, ",")
    names = tuple(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))
    if len(names) > DISTRICTS or any(len(name) > DISTRICT or not name.isprintable() for name in names):
        raise Wrong("content_wrong_districts", n=DISTRICTS)
    return names


def read_question(form: Mapping[str, str]) -> Question:
    """A question: choices one a line. Raises Wrong."""
    text = " ".join(form.get("question", "").split())
    if not 0 < len(text) <= QUESTION:
        raise Wrong("content_wrong_question", n=QUESTION)
    way = form.get("way", "")
    if way == "words":
        return Question(text, "words")
    lines = (" ".join(line.split()) for line in form.get("choices", "").splitlines())
    choices = tuple(dict.fromkeys(line for line in lines if line))
    if not 2 <= len(choices) <= CHOICES or any(len(one) > CHOICE for one in choices):
        raise Wrong("content_wrong_choices", n=CHOICES, longest=CHOICE)
    return Question(text, "several" if way == "several" else "one", choices)


def place(text: str) -> int | None:
    """Which of several parts is meant, from 0 on; None for none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else None


def file_name(text: str) -> str:
    """What a file is called where people see it: no path, nothing that cannot be printed."""
    name = text.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in name if letter.isprintable()).strip()[:100]


def read_town(text: str) -> str:
    """The town's name as tablets show it; empty for none. Raises Wrong."""
    name = " ".join(text.split())
    if len(name) > DISTRICT or not name.isprintable():
        raise Wrong("content_wrong_town", n=DISTRICT)
    return name


def read_telephones(text: str) -> tuple[Telephone, ...]:
    """Numbers to call, one a line: name, number, and a note if there is one, parted by commas. Raises Wrong."""
    found: list[Telephone] = []
    for at, line in enumerate(text.replace("、", ",").replace("，", ",").splitlines(), 1):
        parts = [part.strip() for part in line.split(",", 2)]
        if not any(parts):
            continue
        if len(parts) < 2 or not parts[0] or not is_number(parts[1]) or any(len(part) > 100 for part in parts):
            raise Wrong("content_wrong_telephone", n=at)
        found.append(Telephone(parts[0], parts[1], parts[2] if len(parts) > 2 else ""))
    if len(found) > TELEPHONES:
        raise Wrong("content_wrong_telephones", n=TELEPHONES)
    return tuple(found)


def is_number(text: str) -> bool:
    """Whether it can be dialled: figures, with hyphens, a plus in front, brackets or a space between."""
    figures = sum(letter.isascii() and letter.isdigit() for letter in text)
    return 3 <= figures <= 20 and all(letter.isascii() and (letter.isdigit() or letter in "-+() #*") for letter in text)


def telephone_lines(telephones: Sequence[Telephone]) -> str:
    """As `read_telephones` reads them."""
    return "\n".join(", ".join(part for part in (one.name, one.number, one.note) if part) for one in telephones)


def media_type(content: bytes) -> MediaType:
    """What a file is, by its first bytes. Raises Wrong."""
    for begins, found in _BEGINS:
        if content.startswith(begins):
            return found
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    raise Wrong("content_wrong_file")


def file_to_add(item: Item, content: bytes, *, too_large: bool) -> MediaType:
    """What kind of file it is that a draft is to get. Raises Wrong."""
    if too_large or len(content) > FILE_BYTES:
        raise Wrong("content_wrong_size", n=FILE_BYTES // 1_000_000)
    if len(item.files) >= FILES:
        raise Wrong("content_wrong_files", n=FILES)
    return media_type(content)


def read_change(item: Item, form: Mapping[str, str], act: str) -> Change:
    """What a form does to a draft's parts: `unask-0` and `unfile-0` take one out by its place; a question that was
    typed is added, whatever was pressed. Raises Wrong."""
    what, _, number = act.partition("-")
    n = place(number)
    questions = item.questions
    if what == "unask":
        questions = tuple(one for at, one in enumerate(questions) if at != n)
    if act == "ask" or form.get("question", "").strip():
        if len(questions) >= QUESTIONS:
            raise Wrong("content_wrong_questions", n=QUESTIONS)
        questions = (*questions, read_question(form))
    goes = what == "unfile" and n is not None and n < len(item.files)
    return Change(questions, item.files[n].digest if goes and n is not None else "")


def lacks(item: Item) -> tuple[str, ...]:
    """What keeps an item from being published, as words."""
    missing: list[str] = []
    if item.kind == "survey" and not item.questions:
        missing.append("content_lacks_questions")
    if item.kind == "notice" and not item.text and not item.files:
        missing.append("content_lacks_text")
    if item.kind == "newsletter" and not item.files and not item.text:
        missing.append("content_lacks_file")
    return tuple(missing)


def odd_marks(item: Item) -> tuple[terms_text.Problem, ...]:
    """Marks of furigana that would be read wrongly."""
    return terms_text.problems(item.text, every_kanji=False)


def unknown_districts(districts: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    """Districts in which nobody lives, as far as the register knows."""
    return tuple(name for name in districts if name not in known)
