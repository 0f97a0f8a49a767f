"""The pages from the first opening to the end of a session, over real TLS, without cookies and without scripts."""

from pathlib import Path

from tests.wifi.portal.parts import hall


async def test_a_guest_agrees_sees_what_is_left_extends_and_leaves(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        first = await one.ask("/", headers={"Accept-Language": "en-GB,en;q=0.9"})
        assert (first.status, first.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "Agree and go online" in first.text
        pressed = await one.agree("en")
        assert (pressed.status, pressed.headers["location"]) == (303, "/en/")
        assert "set-cookie" not in pressed.headers
        online = await one.ask("/en/")
        assert "You are online" in online.text
        print(online.text[-1500:])
