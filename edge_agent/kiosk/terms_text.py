"""Rule: a text of terms (`wire.terms_text`), or a line of words on a page, as HTML. Nothing of it counts as HTML."""

import html

from wire import terms_text
from wire.terms_text import Block, Line

_ELEMENT = {"heading": "h2", "paragraph": "p"}


def inline(text: str) -> str:
    """One line as HTML, with furigana."""
    return _line(terms_text.runs(text))


def plain(text: str) -> str:
    """One line without its furigana: for what shows no HTML (a page's title)."""
    return terms_text.plain(terms_text.runs(text))


def read_aloud(text: str) -> str:
    """The text as it is read: kanji that have furigana by these, nothing of headings' and lists' marks."""
    lines = (line for block in terms_text.blocks(text) for line in block.lines)
    return "\n".join("".join(run.reading or run.text for run in line) for line in lines)


def blocks(text: str) -> str:
    """Headings, paragraphs and lists."""
    return "\n".join(map(_block, terms_text.blocks(text)))


def _line(line: Line) -> str:
    return "".join(
        f"<ruby>{html.escape(run.text)}<rp>（</rp><rt>{html.escape(run.reading)}</rt><rp>）</rp></ruby>"
        if run.reading
        else html.escape(run.text)
        for run in line
    )


def _block(block: Block) -> str:
    if block.kind == "list":
        return "<ul>" + "".join(f"<li>{_line(line)}</li>" for line in block.lines) + "</ul>"
    element = _ELEMENT[block.kind]
    return f"<{element}>{'<br>'.join(map(_line, block.lines))}</{element}>"
