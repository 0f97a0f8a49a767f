"""A real voice: espeak-ng as the settings of a lent tablet name it, as a process of its own."""

import asyncio
import wave
from pathlib import Path
from shutil import which

import pytest

from edge_agent.settings import TabletSettings
from edge_agent.tablet.senses import Senses

SPEECH = ("espeak-ng", "-v", "{language}", "--stdin", "-w")


@pytest.mark.skipif(which("espeak-ng") is None, reason="there is no espeak-ng (Debian: espeak-ng)")
@pytest.mark.parametrize(("language", "text"), [("ja", "ふぶきに そなえて ください。"), ("en", "Please stay at home.")])
async def test_a_text_becomes_sound(tmp_path: Path, language: str, text: str) -> None:
    told = tmp_path / "told.wav"
    senses = Senses(TabletSettings(speech=(*SPEECH, str(told))))
    await senses.speak(text, language)
    await _until_silent(senses)
    with wave.open(str(told)) as sound:
        assert sound.getnframes() > sound.getframerate() // 2


async def test_a_new_text_ends_the_one_before_and_a_stop_ends_it(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    senses = Senses(TabletSettings(speech=("sh", "-c", f"echo $$ >> {pids}; exec sleep 600")))
    for count in (1, 2):
        await senses.speak("a long text", "en")
        async with asyncio.timeout(60):
            while len(_pids(pids)) < count:  # noqa: ASYNC110 (a process tells nobody)
                await asyncio.sleep(0.01)
    await senses.hush()
    assert not senses.speaking
    assert not any(map(_runs, _pids(pids)))


def _pids(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def _runs(pid: str) -> bool:
    return Path(f"/proc/{pid}").exists()


async def test_a_voice_that_is_not_there_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    senses = Senses(TabletSettings(speech=("no-such-voice",), sound=("false",), backlight="/nowhere"))
    for _ in range(2):
        await senses.speak("text", "en")
        await _until_silent(senses)
        await senses.set_volume(20)
        await senses.set_light(20)
    for what in ("voice", "volume", "light"):
        assert caplog.text.count(f"the tablet's {what} does not work") == 1


async def _until_silent(senses: Senses) -> None:
    async with asyncio.timeout(60):
        while senses.speaking:  # noqa: ASYNC110 (a process tells nobody)
            await asyncio.sleep(0.01)
