"""Which reader a setting names, and what is said of one that names none."""

import sys
from pathlib import Path

import pytest

from edge_agent.attendance.readers.choose import make_reader
from edge_agent.attendance.readers.contactless import ContactlessReader
from edge_agent.attendance.readers.lines import LineReader
from edge_agent.attendance.readers.pcsc import PcscReader
from edge_agent.settings import ReaderSettings
from tests.readers.ear import Ear
from wire.settings_file import BadSetting


@pytest.mark.parametrize(
    "form",
    [
        "udp:127.0.0.1:47000",
        "udp:field.local:1",
        "usb",
        "usb:054c",
        "usb:054c:06C3",
        "usb:001",
        "usb:001:023",
        "tty:AMA0:pn532",
        "tty:USB0:pn532",
        "tty:nfc0:pn532",
        "tty:USB0:arygon",
    ],
)
def test_nfcpy_drives(form: str) -> None:
    reader = make_reader(ReaderSettings(reader=form))
    assert isinstance(reader, ContactlessReader)
    assert reader.path == form


@pytest.mark.parametrize("form", ["serial:/dev/ttyUSB0", "wedge:/dev/input/by-id/reader"])
def test_lines(form: str) -> None:
    if form.startswith("wedge"):
        pytest.importorskip("evdev")
    reader = make_reader(ReaderSettings(reader=form))
    assert isinstance(reader, LineReader)
    assert reader.name == form


@pytest.mark.parametrize("form", ["serial:/dev/that-is-not-there", "wedge:/dev/that-is-not-there"])
def test_a_line_that_is_not_there_is_a_fault_in_words(form: str) -> None:
    if form.startswith("wedge"):
        pytest.importorskip("evdev")
    with Ear(make_reader(ReaderSettings(reader=form))) as ear:
        ear.until_told("fault")


@pytest.mark.parametrize("form", ["pcsc", "pcsc:RC-S300"])
def test_pcsc(form: str) -> None:
    pytest.importorskip("smartcard")
    assert isinstance(make_reader(ReaderSettings(reader=form)), PcscReader)


@pytest.mark.parametrize(
    "form",
    [
        "",
        "suica",
        "udp",
        "udp:",
        "udp:127.0.0.1",
        "udp:127.0.0.1:port",
        "usb:",
        "usb:sony",
        "usb:054c:06c3:1",
        "USB",
        "tty",
        "tty:AMA0",
        "tty:AMA0:pn531",
        "tty:/dev/ttyAMA0:pn532",
        "serial",
        "serial:",
        "serial:ttyUSB0",
        "wedge",
        "wedge:event0",
        "pcscd",
    ],
)
def test_anything_else_names_file_key_found_and_allowed(form: str) -> None:
    with pytest.raises(BadSetting) as caught:
        make_reader(ReaderSettings(reader=form), file="/etc/machinaka/agent.toml")
    sentence = str(caught.value)
    assert sentence.startswith(f"/etc/machinaka/agent.toml: attendance.reader: found {form!r}, expected udp:HOST:PORT")
    assert "wedge:/dev/" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("form", "module", "extra"), [("pcsc", "smartcard", "pcsc"), ("wedge:/dev/x", "evdev", "wedge")]
)
def test_a_part_that_is_not_installed_is_named(form: str, module: str, extra: str, tmp_path: Path) -> None:
    # A Python that finds a broken module of this name first is one on which it was never built.
    (tmp_path / f"{module}.py").write_text("raise ImportError\n")
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == module}
    sys.path.insert(0, str(tmp_path))
    try:
        with pytest.raises(BadSetting, match=rf"found '{form}', expected the optional part `machinaka\[{extra}\]`"):
            make_reader(ReaderSettings(reader=form))
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.update(hidden)
