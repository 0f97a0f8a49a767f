"""`python -m benchmarks`: runs the benchmarks, prints a table, and writes docs/benchmarks.md when asked to.

The sides of a benchmark are measured in turn (A B B A …), so that what the machine does meanwhile meets all of them.
"""

import argparse
import importlib
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import report
from benchmarks.measured import Benchmark, Measured, NotHere, Place, medians

NAMES = (
    *("ingest", "one_by_one", "growth", "ack", "drain", "tap", "agent_memory", "comeback", "device_list", "policy"),
    *("enrolment", "attendance", "wifi_sessions", "wifi_ingest", "wifi_round", "wifi_consent", "radius_accounting"),
    "usage_months",
    *("ledger", "waiver_close"),
)
# Not /tmp: on many machines that is memory.
_FOLDER = "/var/tmp"
_FILES = 16_384


def main(words: Sequence[str] | None = None) -> int:
    """Runs what was asked for; 2 for a wrong word. A claim that falls short is a result, not a failure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures; the figures are ratios.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; without: all")
    parser.add_argument("--quick", action="store_true", help="each once and small: whether it runs, not how fast")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the results as a page")
    parser.add_argument("--folder", default=_FOLDER, help="on the disk to measure with (default %(default)s)")
    arguments = parser.parse_args(words)
    if unknown := [name for name in arguments.names if name not in NAMES]:
        parser.error(f"no benchmark is called {unknown[0]!r}; there are {', '.join(NAMES)}")
    if arguments.write and (arguments.quick or arguments.names):
        parser.error("--write wants a whole run: no names and no --quick")
    _allow_files()
    began_s = time.monotonic()
    results = []
    for name in arguments.names or NAMES:
        result = run(name, quick=arguments.quick, folder=arguments.folder)
        print(report.as_text(result), flush=True)
        results.append(result)
    minutes = (time.monotonic() - began_s) / 60
    if arguments.write:
        arguments.write.write_text(report.as_page(results, minutes), encoding="utf-8")
    for line in report.short(results):
        print(line)
    return 0


def run(name: str, *, quick: bool, folder: str) -> report.Result:
    """Measures the sides of one benchmark in turn, and takes the medians."""
    benchmark: Benchmark = importlib.import_module(f"benchmarks.{name}").BENCHMARK
    rounds: dict[str, list[Measured]] = {side.name: [] for side in benchmark.sides}
    missing: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="machinaka-bench-", dir=folder) as kept:
        for number in range(1 if quick else benchmark.rounds):
            for side in benchmark.sides[:: -1 if number % 2 else 1]:
                if side.name in missing:
                    continue
                sys.stderr.write(f"{name}: {side.name}, round {number + 1}\n")
                with tempfile.TemporaryDirectory(prefix="machinaka-bench-", dir=folder) as fresh:
                    try:
                        rounds[side.name].append(side.measure(Place(Path(fresh), Path(kept), quick)))
                    except NotHere as reason:
                        missing[side.name] = str(reason)
    found = {side: medians(measured) for side, measured in rounds.items() if measured}
    return report.Result(name, benchmark, found, missing)


def _allow_files() -> None:
    """Thousands of connections, here and at the broker, which takes this limit over."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    sys.exit(main())
