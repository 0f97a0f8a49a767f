"""A staff network with 802.1X: real hostapd (wired), wpa_supplicant with PEAP, FreeRADIUS or hostapd's own server."""

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from edge_agent.wifi.hostapd import Event, Hostapd
from edge_agent.wifi.radius_task import Radius
from edge_agent.wifi.services import OnAir, Services, Wanted
from tests.certificates import pki
from tests.wifi.netns import PATH, Town, needs_netns
from tests.wifi.services import parts
from tests.wifi.services.parts import SUPPLICANT, TOWN_SECRET, Keeping, Kept, day_key, until

SERVERS = ("freeradius", "hostapd")
NAME, WORD = "yamada", "correct horse"
MAC = "02:00:00:00:0d:01"
needs_dot1x = pytest.mark.skipif(
    not all(shutil.which(tool, path=PATH) for tool in ("hostapd", "wpa_supplicant", "freeradius")),
    reason="hostapd, wpa_supplicant or freeradius is not installed",
)
pytestmark = [needs_netns, needs_dot1x]


class Staff:
    """The access point's services in this process (in its namespace), and a device of staff beside it."""

    def __init__(self, town: Town, folder: Path, server: str) -> None:
        self.town, self.folder, self.server = town, folder, server
        wifi = parts.wifi(folder, staff_radio="st0", radius_server="127.0.0.1:1812")
        settings = parts.make_settings(folder, wifi)
        self.kept = Kept(folder)
        commands = {"dnsmasq": parts.dnsmasq(folder), "hostapd": parts.hostapd(wifi), "radius": self._radius_server()}
        self.programs = Keeping(town, commands, folder)
        self.services = Services(settings, self.kept.spool, self.kept.clock, programs=self.programs, look_every_s=0.5)
        self.radius = Radius(self.kept.spool, self.kept.clock, day_key, lambda: self.services.own_secret)
        self.hostapd = Hostapd(Path(wifi.hostapd_dir), "st0", folder)
        self.heard: list[Event] = []
        self.device: subprocess.Popen[str] | None = None

    def _radius_server(self) -> tuple[str, ...]:
        folder, users = self.folder / "radius", {NAME: WORD}
        if self.server == "freeradius":
            return parts.freeradius(folder, users, "127.0.0.1")
        return parts.hostapd_radius(folder, users, "127.0.0.1")

    def revoke(self) -> None:
        """Nobody may come in any more."""
        put = parts.put_users if self.server == "freeradius" else parts.put_eap_users
        put(self.folder / "radius" / "users", {"somebody": "else entirely"})

    async def listen(self) -> None:
        """Keeps what hostapd says."""
        async with contextlib.aclosing(self.hostapd.events()) as events:
            async for event in events:
                self.heard.append(event)

    def said(self, name: str, address: str = MAC) -> int:
        """How often hostapd said it of the device."""
        return sum((one.name, one.address) == (name, address) for one in self.heard)

    def join(self) -> None:
        """The device of staff begins to try; again, as one does that was switched off and on."""
        if self.device is not None:
            self.device.terminate()
            self.device.wait(20)
        root = pki().folder / "root.pem"
        text = SUPPLICANT.format(folder=self.folder, name=NAME, word=WORD, root=root)
        path = self.folder / "wpa.conf"
        path.write_text(text)
        log = self.folder / "wpa.log"
        self.device = self.town.popen("c1", "wpa_supplicant", "-Dwired", "-ix0", f"-c{path}", log=log)

    async def told(self, cause: str | None = None) -> int:
        """How many records of the session there are (with this cause)."""
        return sum(cause is None or one.cause == cause for one in await self.kept.sessions())


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A bed with one more wire between a device and the access point."""
    with Town(tmp_path) as bed:
        ap, c1 = bed.names["ap"], bed.names["c1"]
        bed.must("ap", "ip", "link", "add", "st0", "type", "veth", "peer", "name", "x0", "netns", c1)
        bed.must("ap", "ip", "link", "set", "st0", "up")
        bed.must("c1", "ip", "link", "set", "x0", "address", MAC, "up")
        assert ap
        yield bed


@contextlib.asynccontextmanager
async def standing(town: Town, folder: Path, server: str) -> AsyncIterator[Staff]:
    """Everything runs; ended in the other order."""
    staff = Staff(town, folder, server)
    for name in ("hostapd", "radius"):
        await staff.programs.restart(name)
    running = [asyncio.create_task(work) for work in (staff.services.run(), staff.radius.run(), staff.listen())]
    try:
        await staff.services.apply(Wanted((OnAir("職員", "staff"),), radius_secret=TOWN_SECRET))
        await until(lambda: not staff.services.faults.now, "the services are well")
        await until(lambda: bool(staff.heard), "events are heard")
        yield staff
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        staff.hostapd.close()
        await asyncio.to_thread(staff.kept.spool.close)
        for name in ("hostapd", "radius", "dnsmasq"):
            staff.programs.end(name)


async def until_told(staff: Staff, cause: str | None = None, within_s: float = 60) -> None:
    """Waits for a record. Raises TimeoutError, with what was told."""
    try:
        async with asyncio.timeout(within_s):
            while not await staff.told(cause):  # noqa: ASYNC110 (a database is asked)
                await asyncio.sleep(0.1)
    except TimeoutError:
        told = await staff.kept.sessions()
        raise TimeoutError(f"no record with the cause {cause}: {told} {staff.radius.faults.now}") from None


@pytest.mark.parametrize("server", SERVERS)
def test_a_member_of_staff_comes_in_is_sent_off_and_once_revoked_stays_out(
    town: Town, tmp_path: Path, server: str
) -> None:
    async def story() -> None:
        async with standing(town, tmp_path, server) as staff:
            staff.join()
            await until(lambda: staff.said("AP-STA-CONNECTED") == 1, "the device is heard")
            await until_told(staff)
            stations = await staff.hostapd.stations()
            assert [(one.address, one.authorised) for one in stations] == [(MAC, True)]
            (session,) = {one.session for one in await staff.kept.sessions()}
            assert not await staff.radius.disconnect("0" * 16 + "f" * 16), "a session that nobody has"
            assert not await staff.radius.disconnect("f" * 32), "a guest's"
            staff.revoke()
            await staff.programs.restart("radius")
            assert await staff.radius.disconnect(session)
            await until(lambda: staff.said("AP-STA-DISCONNECTED") > 0, "it is sent off")
            await until_told(staff, "admin")
            await asyncio.to_thread(staff.join)
            await until(lambda: staff.said("CTRL-EVENT-EAP-FAILURE2") > 0, "it tries again, and is refused")
            assert staff.said("AP-STA-CONNECTED") == 1
            assert not any(one.authorised for one in await staff.hostapd.stations())
            told = await staff.kept.sessions()
            assert {one.network for one in told} == {"職員"}
            assert {one.way for one in told} == {"staff"}

    with town.inside("ap"):
        asyncio.run(story())


def test_events_come_back_after_hostapd_began_anew_and_its_absence_is_said_once(
    town: Town, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with standing(town, tmp_path, "hostapd") as staff:
            staff.join()
            await until(lambda: staff.said("AP-STA-CONNECTED") == 1, "the device is heard")
            staff.programs.end("hostapd")
            await until(lambda: staff.services.faults.now == ("hostapd",), "hostapd away is noticed")
            await staff.programs.restart("hostapd")
            await until(lambda: not staff.services.faults.now, "its network is on the air again")
            await asyncio.to_thread(staff.join)
            await until(lambda: staff.said("AP-STA-CONNECTED") == 2, "the device is heard again")
            assert [event.name for event in staff.heard].count("ATTACHED") == 2
            assert not [alarm for alarm in await staff.kept.alarms() if alarm.name == "wifi_drift"]

    with town.inside("ap"):
        asyncio.run(story())
    lines = [record.getMessage() for record in caplog.records if "services: hostapd" in record.getMessage()]
    assert len(lines) == 2, lines
    assert not [record for record in caplog.records if MAC in record.getMessage()]
    assert not list(tmp_path.glob("hostapd-[0-9]*")), "no socket of ours is left"


def test_deauthenticate_sends_off_and_what_is_no_address_is_refused(town: Town, tmp_path: Path) -> None:
    async def story() -> None:
        async with standing(town, tmp_path, "hostapd") as staff:
            staff.join()
            await until(lambda: staff.said("AP-STA-CONNECTED") == 1, "the device is heard")
            for wrong in ("", "02:00:00:00:0d", f"{MAC}\nRELOAD", MAC.upper()):
                with pytest.raises(Exception, match="not a device's address"):
                    await staff.hostapd.deauthenticate(wrong)
            await staff.hostapd.deauthenticate(MAC)
            await until(lambda: staff.said("AP-STA-DISCONNECTED") == 1, "it is sent off")
            await until_told(staff, "lost")

    with town.inside("ap"):
        asyncio.run(story())
