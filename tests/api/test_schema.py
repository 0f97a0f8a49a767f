"""Schemathesis against the running hub: whatever the document allows and forbids, every answer is as it says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from starlette.datastructures import State

from hub.api.service import ROOT, document, make_api
from tests.api.parts import Api, hear
from tests.login.parts import Town, running_town

# What reads well in the schema and is still no setting: hours that end before they begin, a day that is none, a text
# with a control character. They are refused with 422, and nothing else.
BEYOND_A_SCHEMA = {"say", "change_inventory", "lend"}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One hub for all of it, with devices, punches and a group."""
    with running_town(Path(tmp_path_factory.mktemp("town"))) as running:
        hear(running, "terminal-1", "terminal-2", punches=5)
        hear(running, "tablet-1", kind="tablet")
        yield running


@pytest.fixture(scope="module")
def api(town: Town) -> Iterator[Api]:
    """A token that may do everything."""
    with Api(town) as made:
        made.ask("POST", "/policy/groups", {"kind": "kind", "name": "terminal"})
        yield made


# The document needs no hub; the calls go to a running one.
schema = schemathesis.openapi.from_dict(document(make_api(State())))


# The hub runs on a thread of this process and draws numbers of its own while a case is drawn.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@schema.parametrize()
@settings(
    max_examples=12,
    # The same cases each time: once in some runs a case is called wrong that, without its Authorization header, only
    # lacks what this test then puts there.
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_d9_every_answer_is_as_the_document_says(case: schemathesis.Case[Any], api: Api) -> None:
    beyond = case.operation.definition.raw["operationId"] in BEYOND_A_SCHEMA
    # What is wrong with such a case may be no more than the header that this test puts there.
    bare = not any(name.lower() == "authorization" for name in case.headers or {})
    case.call_and_validate(
        base_url=api.town.url + ROOT,
        headers={"Authorization": f"Bearer {api.token}"},
        excluded_checks=[
            *([positive_data_acceptance] if beyond else []),
            *([negative_data_rejection] if bare else []),
        ],
    )
