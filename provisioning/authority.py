"""A town on one machine gets an authority of its own, and its devices their invitations."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from provisioning import ca
from provisioning.layout import CannotLayOut, Kind, Town, command, device_name
from provisioning.ports import HOST
from wire import whole_file

_HOSTS = (HOST, "localhost")


def settle(town: Town) -> bool:
    """The root and what the hub needs of it, where they are not there yet; whether they were made. Raises CannotLayOut.

    The root's key stays in the town's folder, because this machine is all there is of the town; a real town's
    lies on a stick (`machinaka-provision ca init`).
    """
    made = False
    try:
        if not (town.root / "root.pem").exists():
            ca.make_root(town.root, "Town", b"", datetime.now(UTC))
            made = True
        if not (town.ca / "broker.pem").exists():
            ca.issue(ca.read_root(town.root, None), town.ca, _HOSTS, datetime.now(UTC))
    except (ca.Mistake, OSError) as error:
        raise CannotLayOut(str(error)) from error
    return made


def invite(town: Town, kind: Kind) -> str:
    """Puts an invitation beside a device that has no identity yet; what went wrong, or nothing."""
    folder = town.agent_toml(kind).parent
    if (folder / "identity" / "certificate.pem").exists():
        return ""
    words: list[str | Path] = [command("machinaka-hub"), "enrol-code", "--settings", town.hub_toml]
    words += ["--device", device_name(kind), "--kind", kind]
    answer = subprocess.run(words, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        return answer.stderr.strip() or f"machinaka-hub enrol-code ended with {answer.returncode}"
    whole_file.write(folder / "enrol-code", answer.stdout.encode())
    return ""
