"""`machinaka-hub simulate fleet`: many devices that are none, to see what a broker and a hub bear.

It speaks the real wire over real MQTT, one connection a device.  The hub takes what they say for true: not for a hub
that people rely on.
"""

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from hub.simulate_fleet import Fleet, Plan, Tally

_MOST_DEVICES = 20_000
_MOST_RATE = 10_000_000


class _Sentence(argparse.ArgumentParser):
    """Says in one sentence what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    """Adds the command to those of `machinaka-hub`."""
    simulate = commands.add_parser("simulate", help="speak as many devices, to see what a hub bears")
    kinds = simulate.add_subparsers(required=True, metavar="WHAT", parser_class=_Sentence)
    fleet = kinds.add_parser("fleet", help="devices that send records at a rate", description=__doc__)
    fleet.add_argument("--broker", default="127.0.0.1:8883", metavar="HOST:PORT", help="default: %(default)s")
    fleet.add_argument(
        "--ca", required=True, metavar="FOLDER", help="the hub's `ca` folder; its issuer makes the certificates"
    )
    fleet.add_argument("--devices", required=True, metavar="N", help=f"1 to {_MOST_DEVICES}")
    fleet.add_argument(
        "--rate", default="0", metavar="R", help="records a second in all; 0: as fast as they are acked (default)"
    )
    fleet.add_argument("--batch", default="100", metavar="N", help="records in a batch, 1 to 500 (default %(default)s)")
    fleet.add_argument(
        "--kind", default="health=8,usage=1,punch=1", metavar="SHARES", help="shares of kinds (default %(default)s)"
    )
    fleet.add_argument("--prefix", default="sim", metavar="NAME", help="devices are called NAME-1, NAME-2 …")
    end = fleet.add_mutually_exclusive_group()
    end.add_argument("--records", metavar="N", help="end after so many records in all")
    end.add_argument("--seconds", metavar="S", help="end after so many seconds (default 10)")
    fleet.set_defaults(run=lambda arguments: _fleet(arguments, fleet))


def _fleet(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from hub import simulate_fleet
    from hub.simulate_device import Away
    from hub.simulate_identity import NoIssuer

    plan = _plan(arguments, parser)
    try:
        tally, interrupted = asyncio.run(simulate_fleet.run(plan, _progress))
    except (Away, NoIssuer, simulate_fleet.TooMany) as error:
        parser.error(str(error))
    print(summary(tally))
    return 0 if interrupted or tally.acked == tally.made else 1


def _plan(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> "Plan":
    """What was asked for; ends the program with a sentence when it cannot be."""
    from hub.simulate_fleet import Plan, is_prefix
    from hub.simulate_records import BadMix, parse_mix

    def number(option: str, lowest: float, highest: float) -> float:
        text = getattr(arguments, option)
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not lowest <= value <= highest:
            parser.error(f"--{option}: found {text!r}, expected a number from {lowest:,g} to {highest:,.0f}")
        return value

    def count(option: str, highest: int) -> int:
        value = number(option, 1, highest)
        if value != int(value):
            parser.error(f"--{option}: found {getattr(arguments, option)!r}, expected a whole number")
        return int(value)

    host, _, port = arguments.broker.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        parser.error(f"--broker: found {arguments.broker!r}, expected HOST:PORT such as 127.0.0.1:8883")
    devices = count("devices", _MOST_DEVICES)
    if not is_prefix(arguments.prefix, devices):
        parser.error(f"--prefix: found {arguments.prefix!r}, expected a name of a-z, 0-9 and -")
    try:
        shares = parse_mix(arguments.kind)
    except BadMix as error:
        parser.error(f"--kind: {error}")
    if arguments.records is None and arguments.seconds is None:
        arguments.seconds = "10"
    return Plan(
        host=host.strip("[]"),
        port=int(port),
        devices=devices,
        rate=number("rate", 0, _MOST_RATE),
        batch=count("batch", 500),
        shares=shares,
        records=None if arguments.records is None else count("records", 10**10),
        seconds=None if arguments.seconds is None else number("seconds", 0.1, 10**7),
        prefix=arguments.prefix,
        ca=arguments.ca,
    )


def _progress(fleet: "Fleet", elapsed_s: float) -> None:
    tally = fleet.tally
    sys.stderr.write(
        f"{elapsed_s:6.0f} s  {tally.acked:,} acked, {tally.acked / elapsed_s:,.0f}/s, {fleet.under_way:,} under way, "
        f"p99 {tally.latency_ms(0.99):.1f} ms\n"
    )


def summary(tally: "Tally") -> str:
    """What became of it, in a few lines."""
    lines = [
        f"acked        {tally.acked:,} of {tally.made:,} records in {tally.duration_s:.1f} s ({tally.rate:,.0f}/s)",
        f"ack latency  p50 {tally.latency_ms(0.5):.1f} ms, p99 {tally.latency_ms(0.99):.1f} ms",
        f"not acked    {tally.made - tally.acked:,}",
    ]
    if tally.held_back:
        lines.append(f"held back    {tally.held_back:,} more were due, and could not be sent for want of acks")
    if tally.again or tally.connected_again:
        lines.append(f"sent again   {tally.again:,} batches; connected again {tally.connected_again:,} times")
    return "\n".join(lines)
