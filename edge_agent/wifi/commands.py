"""Runs a program of the system (nft, tc, bridge, conntrack) and gives what it printed."""

import asyncio
import os

# Where Debian keeps them; a service's PATH often lacks it.
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_PATIENCE_S = 20.0


class Failed(Exception):
    """The program is not there, did not end in time, or said no; the text is what it said."""


async def run(*words: str, given: str = "") -> str:
    """What the program printed. `given` is its standard input. Raises Failed."""
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": _PATH, "LC_ALL": "C"},
        )
    except OSError as error:
        raise Failed(f"{words[0]}: {error.strerror}") from error
    try:
        out, said = await asyncio.wait_for(process.communicate(given.encode()), _PATIENCE_S)
    except TimeoutError:
        raise Failed(f"{words[0]} did not end within {_PATIENCE_S:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise Failed(f"{' '.join(words)}: {said.decode(errors='replace').strip() or process.returncode}")
    return out.decode(errors="replace")
