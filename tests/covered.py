"""How much of the product the tests of this machine must run, in per cent: `python -m tests.covered`.

Where no network namespace can be had the Wi-Fi's kernel side is not tried, and cannot be asked for; that is said.
"""

import sys

from tests.wifi.netns import missing

WHOLE, WITHOUT_NAMESPACES = 95, 90


def main() -> None:
    """Prints the floor, and why it is lower where it is."""
    why = missing()
    if why:
        sys.stderr.write(f"the tests of the Wi-Fi in network namespaces were skipped: {why}\n")
    sys.stdout.write(f"{WITHOUT_NAMESPACES if why else WHOLE}\n")


if __name__ == "__main__":
    main()
