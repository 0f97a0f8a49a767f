"""What the allocator is asked to do is taken by this machine's C library, and the process goes on."""

import subprocess
import sys

_CHILD = """
import threading
from edge_agent import memory
memory.one_arena()
all_there, kept = threading.Barrier(5), []
def work():
    kept.append([bytes(3000) for _ in range(2000)])
    all_there.wait()
    all_there.wait()
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
all_there.wait()
with open("/proc/self/maps") as maps:
    # Another arena of glibc is a mapping of 64 MiB of its own, of which little is in use.
    sizes = [int(b, 16) - int(a, 16) for a, b in (line.split()[0].split("-") for line in maps)]
all_there.wait()
memory.give_back()
print(sum(32 << 20 < size < 64 << 20 for size in sizes))
"""


def test_threads_share_one_heap() -> None:
    done = subprocess.run([sys.executable, "-c", _CHILD], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
