"""Results as text for the terminal and as the page docs/benchmarks.md."""

import datetime
import os
import platform
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import psutil

from benchmarks import node_red
from benchmarks.measured import Benchmark, Claim, Measured

_UNITS = {"_s": "/s", "_mb": " MB", "_ms": " ms"}
_HEAD = """# Benchmarks

Written by `make bench`'s own program: `python -m benchmarks --write docs/benchmarks.md`.  Do not edit by hand.

## How to read this

- Compare **ratios**. Everything in one table ran on one machine, in turn (A B B A …), and each figure is the median of
  its rounds (five; three where a round takes a minute). Absolute figures differ from machine to machine.
- Broker, hub, devices and peers share the same cores. Devices are simulated (`machinaka-hub simulate fleet`) unless a
  table says that they are the agent itself. Nothing is faked between them: real MQTT, a real Mosquitto with the
  configuration that we ship, a real disk, `synchronous=FULL`.
- Where peers are compared, all are sent messages that were made beforehand, by the same sender, and the time ends with
  the last row that another program can read; elsewhere it ends with the hub's last ack. Memory is the highest resident
  size of the process while it works.
- A claim that does not hold is named under *What falls short*; a peer that could not run, under *Not measured here*.
"""


@dataclass(frozen=True)
class Result:
    """The medians of one benchmark, and why sides are missing."""

    name: str
    benchmark: Benchmark
    found: Mapping[str, Measured]
    missing: Mapping[str, str]

    def value(self, claim: Claim) -> float | None:
        """The claim's figure, or None when a side that it needs is missing."""
        return claim.value(self.found) if all(side in self.found for side in claim.needs) else None


def as_text(result: Result) -> str:
    """For the terminal."""
    lines = ["", f"{result.benchmark.title} [{result.name}]"]
    for side, measured in result.found.items():
        lines.append(
            f"  {side:24} " + "  ".join(f"{_name(key)} {_figure(key, value)}" for key, value in measured.items())
        )
    lines += [f"  {side:24} not available here: {reason}" for side, reason in result.missing.items()]
    lines += [f"  {_mark(result, claim)} {_sentence(result, claim)}" for claim in result.benchmark.claims]
    return "\n".join(lines)


def short(results: Sequence[Result]) -> list[str]:
    """One line for each claim that does not hold."""
    return [
        f"falls short: {_sentence(result, claim)} ({result.benchmark.title})"
        for result in results
        for claim in result.benchmark.claims
        if (value := result.value(claim)) is not None and not claim.holds(value)
    ]


def as_page(results: Sequence[Result], minutes: float) -> str:
    """docs/benchmarks.md."""
    parts = [_HEAD, "## Machine and versions", "", *_machine(), f"- the whole run took {minutes:.0f} minutes", ""]
    parts += ["## What falls short", ""]
    parts += [f"- {line.removeprefix('falls short: ')}" for line in short(results)] or ["Nothing in this run."]
    parts += ["", "## Not measured here", ""]
    missing = [f"- {side}: {reason}" for result in results for side, reason in result.missing.items()]
    parts += list(dict.fromkeys(missing)) or ["Everything was measured."]
    for result in results:
        parts += ["", *_section(result)]
    return "\n".join(parts) + "\n"


def _section(result: Result) -> list[str]:
    benchmark = result.benchmark
    lines = [f"## {benchmark.title}", "", f"{benchmark.about} (`python -m benchmarks {result.name}`)", ""]
    names = list(dict.fromkeys(key for measured in result.found.values() for key in measured))
    lines.append("| | " + " | ".join(_name(name) for name in names) + " |")
    lines.append("|---|" + "---:|" * len(names))
    for side, measured in result.found.items():
        cells = [_figure(name, measured[name]) if name in measured else "" for name in names]
        lines.append(f"| {side} | " + " | ".join(cells) + " |")
    lines += [f"| {side} | " + " | ".join(["not here"] * len(names)) + " |" for side in result.missing]
    lines += ["", "| claim | measured | goal | |", "|---|---:|---|---|"]
    for claim in benchmark.claims:
        value = result.value(claim)
        shown = "–" if value is None else _number(value, claim.unit)
        lines.append(
            f"| {claim.what} | {shown} | {claim.bound} {_number(claim.goal, claim.unit)} | {_mark(result, claim)} |"
        )
    return lines


def _sentence(result: Result, claim: Claim) -> str:
    value = result.value(claim)
    shown = "not measured" if value is None else _number(value, claim.unit)
    return f"{claim.what}: {shown}, {claim.bound} {_number(claim.goal, claim.unit)} wanted"


def _mark(result: Result, claim: Claim) -> str:
    value = result.value(claim)
    if value is None:
        return "not measured"
    return "holds" if claim.holds(value) else "**falls short**"


def _number(value: float, unit: str) -> str:
    digits = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2f}"
    return f"{digits} {unit}".strip()


def _name(key: str) -> str:
    text = re.sub(r"_(s|mb|ms)$", "", key).replace("_", " ")
    return {"rss": "memory"}.get(text, text)


def _figure(key: str, value: float) -> str:
    unit = next((shown for end, shown in _UNITS.items() if key.endswith(end)), "")
    if key == "seconds":
        unit = " s"
    return (f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2f}") + unit


def _machine() -> list[str]:
    memory_gb = psutil.virtual_memory().total / 1e9
    ours = ", ".join(f"{name} {_package(name)}" for name in ("machinaka", "mqtt5", "msgspec", "paho-mqtt", "nfcpy"))
    peers = f"Node.js {_said('node', '--version')}, Node-RED {node_red.version()}, mq-bridge {_package('mq-bridge')}"
    system = f"{memory_gb:.0f} GB of memory; {platform.system()} {platform.release()}"
    lines = [
        f"- {datetime.datetime.now(datetime.UTC).date()}; {_processor()}, {os.cpu_count()} cores, {system}",
        f"- Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, Mosquitto {_mosquitto()}",
        f"- {ours}",
        f"- peers: {peers}",
    ]
    revision = _said("git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD")
    return [*lines, f"- revision {revision or 'unknown'}"]


def _processor() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        found = None
    return found[1] if found else platform.machine()


def _mosquitto() -> str:
    path = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
    found = re.search(r"version (\S+)", _said(path, "-h")) if path else None
    return found[1] if found else "unknown"


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return "not here"


def _package(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not here"
