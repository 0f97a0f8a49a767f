"""Each benchmark runs and yields figures; how good they are is for `make bench`."""

import math
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import report
from benchmarks.measured import medians, percentile
from tests.wifi.netns import missing

PEERS = {"Node-RED", "Node-RED, no key", "mq-bridge"}
PEERS |= {"openwisp-radius 1.3.3"}
# Of the Wi-Fi: they need network namespaces.
IN_NAMESPACES = {"all counters", "a guest is let through", "a guest"}


@pytest.mark.parametrize("name", command.NAMES)
def test_a_benchmark_runs_and_yields_figures(name: str, tmp_path: Path) -> None:
    result = command.run(name, quick=True, folder=str(tmp_path))
    assert set(result.missing) <= (PEERS | IN_NAMESPACES if missing() else PEERS)
    assert {side.name for side in result.benchmark.sides} == {*result.found, *result.missing}
    for measured in result.found.values():
        assert measured
        assert all(math.isfinite(value) for value in measured.values())
    for claim in result.benchmark.claims:
        value = result.value(claim)
        assert (value is None) == bool(set(claim.needs) & set(result.missing))
    page = report.as_page([result], 1)
    assert f"## {result.benchmark.title}" in page
    assert all(claim.what in page and claim.what in report.as_text(result) for claim in result.benchmark.claims)


def test_wrong_words_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in (
        (["speed"], "no benchmark is called 'speed'"),
        (["ack", "--write", "x.md"], "--write wants a whole run"),
        (["--quick", "--write", "x.md"], "--write wants a whole run"),
    ):
        with pytest.raises(SystemExit) as ended:
            command.main(words)
        assert ended.value.code == 2
        assert said in capsys.readouterr().err


def test_medians_and_percentiles() -> None:
    assert medians([{"a": 1, "b": 9}, {"a": 3, "b": 8}, {"a": 2, "b": 100}]) == {"a": 2, "b": 9}
    values = list(range(1, 101))
    assert [percentile(values, share) for share in (0.01, 0.5, 0.99, 1)] == [1, 50, 99, 100]
    assert percentile([7], 0.99) == 7
