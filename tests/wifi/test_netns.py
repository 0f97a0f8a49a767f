"""The bed itself: what a town of namespaces can and cannot do before anybody enforces anything."""

from pathlib import Path

from tests.wifi.netns import AP4, AP6, CLIENTS, OFFICE4, SITE, Town, client4, client6, needs_netns


@needs_netns
def test_guests_reach_the_access_point_and_not_one_another(tmp_path: Path) -> None:
    with Town(tmp_path) as town:
        for client in CLIENTS:
            assert town.pings(client, AP4)
            assert town.pings(client, AP6)
        assert not town.pings("c1", client4("c2"))
        assert not town.pings("c1", client6("c2"))
        assert town.pings("c1", OFFICE4), "without rules the office is open: that is what the rules are for"
        assert town.must("ap", "curl", "-sS", "--resolve", f"{SITE}:80:198.51.100.10", f"http://{SITE}/").startswith(
            "site"
        )
        assert town.must("ap", "curl", "-sS", "--resolve", f"{SITE}:80:[2001:db8:1::10]", f"http://{SITE}/")
        assert town.status("c1", f"http://{SITE}/", "--max-time", "2") == "curl 28", "nothing translates addresses yet"
        with town.inside("ap"):
            pass
