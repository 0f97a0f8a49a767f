"""`machinaka-provision`: makes devices and towns."""

import sys


def main() -> int:
    """Runs one command; the exit code is 2 for what a person got wrong."""
    sys.stderr.write("machinaka-provision: nothing here yet\n")
    return 2
