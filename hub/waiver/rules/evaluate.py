"""One case of waiver in, one answer out (rule): the functions that a month is assessed with, for anyone to check."""

from typing import Any

from hub.waiver.rules.assess import assess
from hub.waiver.rules.explain import sentence
from hub.waiver.rules.profile import BadProfile
from hub.waiver.rules.reading import read_case
from hub.waiver.rules.result import Ground, LineResult, Step

__all__ = ["BadProfile", "waiver"]


def waiver(value: object) -> dict[str, Any]:
    """The answer to a case of waiver. Raises BadCase."""
    case = read_case(value)
    found = assess(case.month, case.tariffs, case.rules, case.lines)
    return {
        "month": found.month,
        "invoice": {"ex_tax": found.ex_tax, "tax": found.tax, "total": found.total},
        "invoices": {
            one.id: {
                "ex_tax": one.ex_tax,
                "tax": one.tax,
                "total": one.total,
                "tax_by_rate": {str(rate): yen for rate, yen in one.tax_by_rate.items()},
            }
            for one in found.invoices
        },
        "waived": found.waived,
        "resident": found.resident,
        "lines": {one.id: _line(one) for one in found.lines},
    }


def _line(one: LineResult) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "days": one.days,
        "base_ex_tax": one.base_ex_tax,
        "fees_ex_tax": one.fees_ex_tax,
        "blocks": one.blocks,
        "overage_ex_tax": one.overage_ex_tax,
        "other_ex_tax": one.other_ex_tax,
        "ex_tax": one.ex_tax,
        "tax": one.tax,
        "total": one.total,
        "waived": one.waived,
        "resident": one.resident,
        "grounds": [_ground(ground) for ground in one.grounds],
        "steps": [_step(step) for step in one.steps],
    }
    if one.match is not None:
        answer |= {
            "expected_ex_tax": one.ex_tax,
            "billed_ex_tax": one.billed_ex_tax,
            "difference_ex_tax": one.difference_ex_tax,
            "match": one.match,
        }
    return answer


def _ground(ground: Ground) -> dict[str, Any]:
    return {
        "rule": ground.rule,
        "account": ground.account,
        "clause": ground.clause,
        "ref": ground.ref,
        "days": [list(stretch) for stretch in ground.days],
        "day_count": ground.day_count,
        "waived": ground.waived,
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "rule": step.rule,
        "yen": step.yen,
        "numbers": step.numbers,
        "clause": step.clause,
        "ja": sentence(step, "ja"),
        "en": sentence(step, "en"),
    }
