"""Become another program that dies with its parent: `tether.py <parent pid> <signal> <nice> <uid:gid or -> command…`.

A launcher of its own because the same steps between fork and exec in a threaded parent may deadlock. Linux ends the
program by the signal when the parent (precisely: the thread that started it) is gone; elsewhere it lives on.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, signal, niceness, user, *command = sys.argv[1:]
    os.nice(int(niceness))
    if user != "-":
        uid, gid = map(int, user.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After setuid, which clears it.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal))
    if os.getppid() != int(parent):
        sys.exit("The parent was gone before the program began.")
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
