"""A month of lines (rule): what each costs, what is waived on which ground, what is left to the resident."""

from collections.abc import Iterable, Mapping

from hub.waiver.rules.given import Line
from hub.waiver.rules.profile import Tariff, WaiverRule
from hub.waiver.rules.result import Assessment


def assess(
    month: str, tariffs: Mapping[str, Tariff], rules: Mapping[str, WaiverRule], lines: Iterable[Line]
) -> Assessment:
    """The month (`YYYY-MM`) of these lines.

    `tariffs` are the tariffs of this month of use by the names that the lines have in `tariff`, `rules` the rules of
    waiver by the names that the grants have in `rule`.  Several tariffs and several invoices may be in one month.
    Raises BadProfile (one sentence) for a name that is not there, for two lines with one id, and for an invoice whose
    tariffs round tax in different ways.
    """
    raise NotImplementedError
