"""Start a command that dies with the process that started it, even when that one is killed -9.

Run as a script, by path: `python leash.py PARENT_PID SIGNAL ACCOUNT COMMAND [ARGUMENT ...]`.
ACCOUNT is `-` or `uid:gid`, for servers that refuse to run as root. On Linux the kernel sends
SIGNAL to the command when its parent ends; the wish survives the exec below but not a change of
account, so it comes last. Elsewhere there is no such wish, and only an orderly stop ends it.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Become the command; never returns."""
    parent, signal_number, account, *command = arguments
    if account != "-":
        uid, gid = (int(part) for part in account.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal_number))
        if os.getppid() != int(parent):  # it ended before the wish was known
            sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
