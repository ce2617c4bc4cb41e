"""A leash on the children of a run: if the run itself is killed, they end too.

A small shell reads the ids of process groups from a pipe whose other end only the run holds. When the run is gone
the kernel closes that end, and the shell kills the groups. This works wherever there is a shell, which Linux's
PR_SET_PDEATHSIG does not, and it reaches the children's own children.
"""

from __future__ import annotations

import subprocess

WATCH = 'while read -r group; do groups="$groups -$group"; done; kill -s KILL -- $groups'


class Leash:
    """Holds process groups, each by the id of its first process."""

    def __init__(self) -> None:
        self._shell = subprocess.Popen(  # noqa: S603  # our own words
            ["/bin/sh", "-c", WATCH],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
        )

    def hold(self, group: int) -> None:
        """Have this group killed if the run ends before `let_go`."""
        if self._shell.stdin:
            self._shell.stdin.write(f"{group}\n".encode())

    def let_go(self) -> None:
        """Kill nobody: the run has stopped its children itself, and their ids may soon be somebody else's."""
        self._shell.kill()
        self._shell.communicate()
