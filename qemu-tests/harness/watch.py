# SPDX-License-Identifier: GPL-2.0
"""What a debug kernel can tell of the scenarios it ran: leaks, locks, lines run."""

import base64
import io
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from bisect import bisect_right
from collections import Counter
from pathlib import Path

from .vm import Trouble


def ask(vm, script, timeout=60):
    """The output lines of a shell command in the guest."""
    job = vm.start("sh", "-c", script)
    if job.wait(timeout):
        raise Trouble(f"{script}: {' '.join(job.lines)[-600:]}")
    return job.lines


def jiffies(vm):
    """The guest's clock, as kmemleak notes it; 0 where nobody will ask for it."""
    if vm.slow == 1 or not vm.alive():
        return 0
    return int(ask(vm, "awk '/^jiffies/ { print $2; exit }' /proc/timer_list")[0])


def complaints(vm, since):
    """What the kernel holds against scenarios that began at these jiffies.

    Maps the index of a scenario to a text. What was leaked before the first of
    them began, during boot, is none of theirs.
    """
    if vm.slow == 1:
        return {}
    found = {}
    for entry in "\n".join(ask(vm, "vg-leaks", 120)).split("unreferenced object ")[1:]:
        index = bisect_right(since, int(re.search(r"jiffies (\d+)", entry)[1])) - 1
        if index >= 0:
            text = found.get(index, "memory leaked:")
            found[index] = f"{text}\nunreferenced object {entry.rstrip()}"
    if any(re.search("debug_locks: +0", line) for line in ask(vm, "cat /proc/lockdep_stats || :")):
        found.setdefault(len(since) - 1, "lockdep has switched itself off")
    return found


class Coverage:
    """Lines of the module that ran, summed over guests."""

    def __init__(self):
        self.lines = {}  # file: {line: count}

    def collect(self, vm, built, kernel):
        """Add what a guest has run; its kernel keeps count of unloaded modules, too."""
        if vm.slow == 1:
            return
        data = base64.b64decode("".join(ask(vm, "vg-coverage")))
        if not data:
            return
        with tempfile.TemporaryDirectory(prefix="vg-") as folder:
            names = []
            with tarfile.open(fileobj=io.BytesIO(data)) as tar:
                for member in filter(tarfile.TarInfo.isfile, tar):
                    # The guest names them by where the objects were built.
                    source = Path("/" + member.name.lstrip("./")).with_suffix(".gcno")
                    if not source.is_relative_to(built / kernel) and \
                            not source.is_relative_to(built / f"{kernel}-kunit"):
                        continue
                    name = Path(folder) / f"{len(names)}" / source.name
                    name.parent.mkdir()
                    shutil.copy(source, name)
                    name.with_suffix(".gcda").write_bytes(tar.extractfile(member).read())
                    names.append(name.with_suffix(".gcda"))
            done = subprocess.run(["gcov-12", "--json-format", "--stdout", *names], text=True,
                                  check=True, capture_output=True)
        for text in done.stdout.splitlines():
            for entry in json.loads(text)["files"]:
                match = re.search(r"(?:^|/)(kmod/(?:core/)?[^/]*\.c)$", entry["file"])
                if match:
                    counts = self.lines.setdefault(match[1], Counter())
                    for line in entry["lines"]:
                        counts[line["line_number"]] += line["count"]

    def report(self):
        """A line for all, and a table of the files; nothing if nobody counted."""
        rows = [(name, sum(map(bool, counts.values())), len(counts))
                for name, counts in sorted(self.lines.items())]
        if not rows:
            return "", ""
        ran, lines = sum(r[1] for r in rows), sum(r[2] for r in rows)
        table = ["| file | lines | run | | not run |", "|---|---|---|---|---|"]
        for name, some, every in rows:
            rest = [n for n, count in sorted(self.lines[name].items()) if not count]
            table.append(f"| {name} | {every} | {some} | {100 * some / every:.1f} % | "
                         f"{ranges(rest)} |")
        return (f"coverage: {100 * ran / lines:.1f} % of lines (kmod/ {ran} of {lines})",
                "\n".join(table) + "\n")


def ranges(numbers):
    """Sorted numbers as text, neighbours joined: 1-3 7."""
    out = []
    for n in numbers:
        if out and out[-1][1] == n - 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in out)
