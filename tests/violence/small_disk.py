"""
A disk that is soon full: a tmpfs in a namespace of its own, which needs no root where the system allows such.

The disk is gone with its last process, so one shell runs the command, makes room, and runs it again.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.command_line import MODULE, Result, Workspace

_IN_A_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
_MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$2"'
_TWICE = f"""\
{_MOUNT} || exit 99
size="$1" disk="$2"; shift 2
"$@" >first.out 2>first.err; echo $? >first.code
ls -A "$disk" >first.left
mount -o remount,size=64m "$disk"
"$@"; code=$?
cp -R "$disk/." after/ && exit $code
"""


@dataclass(frozen=True)
class Twice:
    """
    The run on the full disk, and the same command once there was room.

    Attributes:
        left: What was on the disk after the first.
    """

    full: Result
    roomy: Result
    left: list[str]


def disk_of(workspace: Workspace) -> Path:
    """Return where the small disk will be."""
    return workspace.folder / "disk"


def can_mount(folder: Path) -> bool:
    """Say whether this user may mount a tmpfs in a namespace."""
    try:
        tried = subprocess.run([*_IN_A_NAMESPACE, _MOUNT, "sh", "64k", str(folder)], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return tried.returncode == 0


def run_twice(workspace: Workspace, arguments: list[str], kibibytes: int) -> Twice:
    """Run the command line on a disk of this size, and again on one that is large; copy the disk to ``after``."""
    disk, after = disk_of(workspace), workspace.folder / "after"
    for folder in (disk, after):
        folder.mkdir()
    command = (*_IN_A_NAMESPACE, _TWICE, "sh", f"{kibibytes}k", str(disk), *MODULE)
    roomy = workspace.run(arguments, command)
    out, err, code, left = (
        (workspace.folder / f"first.{name}").read_text(encoding="utf-8") for name in ("out", "err", "code", "left")
    )
    return Twice(Result(int(code), out, err), roomy, left.split())
