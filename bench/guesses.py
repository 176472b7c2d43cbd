"""How many passwords an attacker gets to try on the first day: the table of docs/guard.md.

    python bench/guesses.py

The guard itself is asked, with every setting at its default, by a clock that runs as fast as it can
(tests/guard/attack.py; some seconds). The last column is fail2ban as Debian has it: five tries, then ten
minutes of nothing, for each address by itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:1] = [str(HERE.parent / "src"), str(HERE.parent / "tests")]  # bench/guard.py is not meant

from guard.attack import fail2ban_guesses_of_a_day, guesses_of_a_day  # noqa: E402

ADDRESSES, ACCOUNTS = (1, 1_000, 100_000), (1, 100)


def main() -> None:
    print("| addresses | guard, one account | guard, 100 accounts | fail2ban |\n|---|---|---|---|")
    for addresses in ADDRESSES:
        guesses = [guesses_of_a_day(addresses, names) for names in ACCOUNTS]
        cells = (addresses, *guesses, fail2ban_guesses_of_a_day(addresses))
        print(f"| {' | '.join(f'{cell:,}' for cell in cells)} |", flush=True)


if __name__ == "__main__":
    main()
