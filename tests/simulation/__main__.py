"""
Tell the story of a world, or look for worlds in which something is wrong.

::

    python -m tests.simulation 4711          what happens in world 4711
    python -m tests.simulation 20001 5000    the first story among worlds 20001 to 25000 in which something is wrong
"""

from __future__ import annotations

import sys

from tests.simulation.world import run

if __name__ == "__main__":
    first, count = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    wrong = []
    for seed in range(first, first + count):
        story = run(seed)
        if story.wrong or count == 1:
            wrong.append(seed)
            if len(wrong) == 1:
                print(story)  # noqa: T201 - a command line prints
    if count > 1:
        print(f"{count} worlds, {len(wrong)} of them wrong: {wrong[:50]}")  # noqa: T201 - a command line prints
    sys.exit(bool(wrong) and count > 1)
