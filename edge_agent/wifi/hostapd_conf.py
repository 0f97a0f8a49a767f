"""Rule: the text of hostapd's configuration, a file for each interface.

1. Whatever comes from policy or kit is checked against what its place can hold, or written in hexadecimal (`ssid2`): no
   text can become a line of its own. What does not fit is BadNetwork; nothing is cut short or mended.
2. Guests of one network do not see each other (`ap_isolate`), and nobody is tracked from one access point to the next
   by fast transition: there is no `mobility_domain` (802.11r), but devices may be told of neighbours (802.11k, v).
3. `wpa2` takes devices that can no more than WPA2 beside those with WPA3; `wpa3` takes only the latter. `owe` is open
   for devices that know nothing of it, and leads the others to a hidden, encrypted network (OWE transition mode).
4. Accounting goes to this device's own receiver and comes from there by Disconnect-Request (RFC 5176), both on
   loopback, with a secret of this boot; only the question who somebody is goes to the town's RADIUS server.
"""

import hashlib
import ipaddress
import re
from collections.abc import Sequence

import msgspec

from edge_agent.settings import WifiSettings
from edge_agent.wifi.wanted import OnAir

ACCOUNTING_PORT, DISCONNECT_PORT = 1813, 3799
# RFC 2869, 5.16: at least 60, and not under 600 without a need.
INTERIM_S = 600
_INTERFACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}\Z")
_PASSPHRASE = re.compile(r"[ -~]{8,63}\Z")
# hostapd takes the rest of the line; RFC 2865, 3 asks for at least 16 bytes where it can be had.
_SECRET = re.compile(r"[!-~]{8,128}\Z")
_NAME = re.compile(r"[a-z0-9-]{1,63}\Z")
_SSID_BYTES = 32
_LAST_24_GHZ = 14


class BadNetwork(Exception):
    """What no network can be made of; one sentence without a secret in it."""


class Radius(msgspec.Struct, frozen=True):
    """Who answers for 802.1X (`address:port` and its secret), and the secret of the loopback."""

    server: str
    secret: str
    own_secret: str
    nas: str
    accounting_port: int = ACCOUNTING_PORT
    disconnect_port: int = DISCONNECT_PORT


def interface_of(wifi: WifiSettings, role: str) -> str:
    """The interface on which a network of a role is on the air. Raises BadNetwork."""
    if role == "guests":
        return _checked(wifi.radio, _INTERFACE, "the radio's interface")
    if role == "staff" and wifi.staff_radio:
        return _checked(wifi.staff_radio, _INTERFACE, "the staff radio's interface")
    return _checked(f"{wifi.radio[:11]}_{role[:3]}", _INTERFACE, "the interface")


def files(networks: Sequence[OnAir], wifi: WifiSettings, radius: Radius | None) -> dict[str, str]:
    """Interface -> text, in the order in which they come on the air. Raises BadNetwork."""
    made: dict[str, str] = {}
    for network in networks:
        interface = interface_of(wifi, network.role)
        if interface in made:
            raise BadNetwork(f"two networks are to be on {interface}")
        if network.role == "staff":
            made[interface] = _text(_common(network.name, interface, wifi, ""), _staff(wifi, radius))
        elif network.security == "owe" and wifi.driver == "nl80211":
            made |= _owe(network, interface, wifi)
        else:
            made[interface] = _text(_common(network.name, interface, wifi, wifi.guests), _protected(network, wifi))
    return made


def ssid_of(text: str) -> str:
    """The name of the network that such a text puts on the air, as hostapd's STATUS writes it."""
    found = re.search(r"^ssid2=([0-9a-f]+)$", text, re.MULTILINE)
    return _as_told(bytes.fromhex(found[1])) if found else ""


def _as_told(name: bytes) -> str:
    special = {0x22: '\\"', 0x5C: "\\\\", 0x1B: "\\e", 0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t"}
    return "".join(special.get(b) or (chr(b) if 32 <= b <= 126 else f"\\x{b:02x}") for b in name)


def _common(name: str, interface: str, wifi: WifiSettings, bridge: str) -> list[str]:
    encoded = name.encode("utf-8", "replace")
    if not 1 <= len(encoded) <= _SSID_BYTES:
        raise BadNetwork(f"the network's name has {len(encoded)} bytes in UTF-8; 1 to {_SSID_BYTES} are possible")
    lines = [
        f"interface={interface}",
        f"driver={wifi.driver}",
        f"ctrl_interface={wifi.hostapd_dir}",
        f"ssid2={encoded.hex()}",
        "utf8_ssid=1",
        "ap_isolate=1",
        "logger_syslog=0",
        "logger_stdout=0",
    ]
    if bridge:
        lines.append(f"bridge={_checked(bridge, _INTERFACE, 'the bridge')}")
    return lines + (_air(wifi) if wifi.driver == "nl80211" else [])


def _air(wifi: WifiSettings) -> list[str]:
    return [
        "country_code=JP",
        "ieee80211d=1",
        f"hw_mode={'g' if wifi.channel <= _LAST_24_GHZ else 'a'}",
        f"channel={wifi.channel}",
        "ieee80211n=1",
        "wmm_enabled=1",
        "auth_algs=1",
        "bss_transition=1",
        "rrm_neighbor_report=1",
    ]


def _protected(network: OnAir, wifi: WifiSettings) -> list[str]:
    if network.security == "open" or wifi.driver == "wired":
        return []
    if network.security == "owe":
        raise BadNetwork("owe is a pair of networks")
    phrase = network.passphrase
    if not _PASSPHRASE.match(phrase):
        raise BadNetwork(f"{network.security} needs a passphrase of 8 to 63 printable ASCII characters")
    keys, frames = ("SAE", 2) if network.security == "wpa3" else ("WPA-PSK WPA-PSK-SHA256 SAE", 1)
    return [
        "wpa=2",
        f"wpa_key_mgmt={keys}",
        "rsn_pairwise=CCMP",
        f"ieee80211w={frames}",
        "sae_require_mfp=1",
        "sae_pwe=2",
        f"wpa_passphrase={phrase}",
    ]


def _owe(network: OnAir, interface: str, wifi: WifiSettings) -> dict[str, str]:
    """The open network and the hidden one behind it, each of which names the other."""
    behind = _checked(f"{wifi.radio[:11]}_owe", _INTERFACE, "the interface")
    hidden = "owe-" + hashlib.sha256(network.name.encode("utf-8", "replace")).hexdigest()[:16]
    opened = _common(network.name, interface, wifi, wifi.guests)
    closed = _common(hidden, behind, wifi, wifi.guests)
    keys = ["wpa=2", "wpa_key_mgmt=OWE", "rsn_pairwise=CCMP", "ieee80211w=2", "ignore_broadcast_ssid=1"]
    return {
        interface: _text(opened, [f"owe_transition_ifname={behind}"]),
        behind: _text(closed, [*keys, f"owe_transition_ifname={interface}"]),
    }


def _staff(wifi: WifiSettings, radius: Radius | None) -> list[str]:
    if radius is None or not radius.server or not radius.secret:
        raise BadNetwork("the staff's network needs wifi.radius_server, and a secret for it in the kit")
    address, port = _server(radius.server)
    secret = _checked(radius.secret, _SECRET, "the secret of the RADIUS server")
    own = _checked(radius.own_secret, _SECRET, "the secret of the loopback")
    lines = [
        "ieee8021x=1",
        "eapol_version=2",
        "eap_server=0",
        f"nas_identifier={_checked(radius.nas, _NAME, 'the name of the device')}",
        "own_ip_addr=127.0.0.1",
        f"auth_server_addr={address}",
        f"auth_server_port={port}",
        f"auth_server_shared_secret={secret}",
        "acct_server_addr=127.0.0.1",
        f"acct_server_port={radius.accounting_port}",
        f"acct_server_shared_secret={own}",
        f"radius_acct_interim_interval={INTERIM_S}",
        f"radius_das_port={radius.disconnect_port}",
        f"radius_das_client=127.0.0.1 {own}",
        "radius_das_time_window=300",
        "radius_das_require_event_timestamp=1",
        "radius_das_require_message_authenticator=1",
    ]
    if wifi.driver == "wired":
        return [*lines, "use_pae_group_addr=1"]
    return [*lines, "wpa=2", "wpa_key_mgmt=WPA-EAP WPA-EAP-SHA256", "rsn_pairwise=CCMP", "ieee80211w=1"]


def _server(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError as error:
        raise BadNetwork(f"wifi.radius_server is {text!r}; expected an address and a port, 192.0.2.1:1812") from error
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise BadNetwork(f"wifi.radius_server has the port {port!r}; expected 1 to 65535")
    return str(address), int(port)


def _checked(text: str, pattern: re.Pattern[str], what: str) -> str:
    if not pattern.match(text):
        # The text may be a secret.
        raise BadNetwork(f"{what} is not as it has to be (expected {pattern.pattern.removesuffix(chr(92) + 'Z')})")
    return text


def _text(*parts: list[str]) -> str:
    lines = ["# Written by the access point's agent; what is changed here is reported and put back."]
    return "\n".join([*lines, *(line for part in parts for line in part), ""])
