"""Become a PostgreSQL program that cannot outlive the process that started it.

Run by path, never imported (`python -I -S launch.py <parent pid> <uid> <gid> <program> [argument…]`), because the
alternative, `preexec_fn`, runs Python between fork and exec in a process that may have threads. A uid of -1 keeps the
current user.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def become(parent: int, uid: int, gid: int, command: list[str]) -> None:
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After the change of user, which clears it. SIGINT is PostgreSQL's fast shutdown.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    if os.getppid() != parent:  # it died before the line above could notice
        sys.exit("the process that started PostgreSQL is gone")
    os.umask(0o077)
    os.execv(command[0], command)  # noqa: S606 (a program that the supervisor chose)


if __name__ == "__main__":
    become(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
