"""What is wrong with a carrier's file, as one sentence that names the line of the file."""

from hub.waiver.bill_intake import BadBill
from hub.words import Language, word


def said(language: Language, error: BadBill) -> str:
    """The sentence."""
    values = dict(error.values)
    if "field" in values:
        values["field"] = word(language, f"bill_field_{values['field']}")
    sentence = word(language, f"bill_wrong_{error.why}", **values)
    return word(language, "bill_wrong_row", row=error.row, said=sentence) if error.row else sentence
