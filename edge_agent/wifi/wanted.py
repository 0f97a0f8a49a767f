"""Rule: what an access point's services are to be: which networks are on the air, and what guests are told there.

| mode     | on the air                                       |
| normal   | guests, staff                                    |
| drill    | guests, staff: a drill changes nothing on air    |
| disaster | guests, staff, and the disaster network, open    |
| closed   | staff                                            |
| off      | staff                                            |
"""

from typing import Literal

import msgspec

from edge_agent.effective import Effective
from wire.policy import Security

ModeName = Literal["normal", "closed", "disaster", "drill", "off"]
Role = Literal["guests", "disaster", "staff"]
# RFC 8910, 2: no portal here.
UNRESTRICTED = "urn:ietf:params:capport:unrestricted"


class OnAir(msgspec.Struct, frozen=True):
    """A network on the air. One of staff has 802.1X, whatever `security` says."""

    name: str
    role: Role = "guests"
    security: Security = "open"
    passphrase: str = ""


class Wanted(msgspec.Struct, frozen=True):
    """What the services are to be. `uri` is what the options 114, 103 and 37 tell (empty: nothing is told);
    `portal_host` is the portal's name, which leads to this device; `garden` are names reached without agreeing."""

    networks: tuple[OnAir, ...] = ()
    uri: str = ""
    portal_host: str = ""
    garden: tuple[str, ...] = ()
    radius_secret: str = ""


def wanted(
    policy: Effective,
    mode: ModeName,
    disaster_name: str,
    *,
    portal_host: str,
    api_uri: str,
    radius_secret: str = "",
) -> Wanted:
    """What follows from the town's rules in a mode. In a disaster nothing is restricted, and is said so."""
    networks: list[OnAir] = []
    if policy.network_name and mode in ("normal", "drill", "disaster"):
        networks.append(OnAir(policy.network_name, "guests", policy.security, policy.passphrase))
    if disaster_name and mode == "disaster":
        networks.append(OnAir(disaster_name, "disaster"))
    if policy.staff_network_name:
        networks.append(OnAir(policy.staff_network_name, "staff"))
    uri = UNRESTRICTED if mode == "disaster" else api_uri
    return Wanted(tuple(networks), uri, portal_host, policy.garden, radius_secret)
