"""`python -m offhook.apps.foreign <program> <words>`: becomes the program, bound to the supervisor's life.

The kernel keeps the promise over the change of program (prctl(2), PR_SET_PDEATHSIG). The signal is SIGKILL:
livekit-server answers SIGTERM by waiting until everybody has left its rooms.
"""

from __future__ import annotations

import os
import signal
import sys

from offhook.apps.supervisor import die_with_supervisor

if __name__ == "__main__":
    die_with_supervisor(signal.SIGKILL)
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - a program that the operator has put there
