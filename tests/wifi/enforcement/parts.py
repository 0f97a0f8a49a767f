"""What tests of the packet filter share."""

from edge_agent.wifi.ruleset import Plan
from tests.wifi.netns import BRIDGE, UPLINK

OFFICE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
PLAN = Plan(guests=BRIDGE, uplink=UPLINK, ipv4="10.77.0.1/22", ipv6="fd6d:6368:6e6b::1/64", office=OFFICE)
