"""A place where a test may kill the process.

With `MILEPOST_FAIL_AT=n` in the environment the n-th failpoint that is passed ends the process
as `kill -9` would: nothing is flushed, nothing is closed. Without it a failpoint costs one
comparison.
"""

from __future__ import annotations

import os

EXIT_CODE = 137
_left = int(os.environ.get("MILEPOST_FAIL_AT", "0"))


def failpoint(name: str) -> None:
    """Ends the process here if this is the failpoint that MILEPOST_FAIL_AT counts to."""
    global _left
    if _left:
        _left -= 1
        if _left == 0:
            os.write(2, f"failpoint: {name}\n".encode())
            os._exit(EXIT_CODE)
