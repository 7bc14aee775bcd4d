# SPDX-License-Identifier: GPL-2.0
"""A running guest: its agent, its monitor, and the hand outside of it."""

import functools
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote, unquote

COMMON = ("-machine", "q35",
          # What a CPU does fast (ERMS) an emulator does byte by byte.
          "-cpu", "max,-erms,-fsrm", "-smp", "2", "-m", "768M",
          "-nodefaults", "-display", "none",
          "-no-user-config", "-no-reboot", "-S", "-qtest-log", "none",
          # Only what a platform wants to unplug sits in a slot that allows it: for the
          # others, firmware would have methods that a debug kernel takes long over.
          *(word for port in ("pcie-root-port", "ioh3420", "xio3130-downstream")
            for word in ("-global", f"{port}.hotplug=off")))
#: Where q35's firmware puts configuration space in memory.
ECAM = 0xb0000000
KERNEL_LINE = ("console=ttyS0 loglevel=4 log_buf_len=4M printk.devkmsg=on panic=-1 oops=panic "
               "mitigations=off no_timer_check tsc=reliable random.trust_cpu=on "
               "softlockup_panic=1 watchdog_thresh=30 hung_task_panic=1 "
               "rcupdate.rcu_cpu_stall_timeout=60")


@functools.cache
def version(qemu):
    """Major and minor version of a QEMU."""
    text = subprocess.run([qemu, "--version"], check=True, text=True,
                          capture_output=True).stdout
    return tuple(int(n) for n in re.search(r"version (\d+)\.(\d+)", text).groups())


def accelerator(qemu):
    """Emulate CPUs in threads of their own only where that is safe.

    Before 8.1 QEMU may translate code that another CPU is patching and keep
    the result: the kernel then trips over breakpoints that are gone, whenever
    tracing or jump labels are switched ("accel/tcg: Always lock pages before
    translation" mended it).
    """
    return "tcg,thread=" + ("multi" if version(qemu) >= (8, 1) else "single")


def environment(qemu):
    """The environment for a QEMU to run in.

    An emulator of CPUs allocates and frees without pause; with an allocator made for
    that (its own build has a switch for the same) it takes a tenth less of a CPU. One
    from another release brings its own libraries, which ours is not to be mixed with.
    """
    path = Path("/usr/lib/x86_64-linux-gnu/libjemalloc.so.2")
    if not path.exists() or not (shutil.which(qemu) or "").startswith("/usr/bin/"):
        return None
    return {**os.environ, "LD_PRELOAD": str(path)}


def translation(qemu):
    """Arguments to have an AMD IOMMU translate DMA: since 10.2 it has to be told to."""
    return ("-global", "amd-iommu.dma-remap=on") if version(qemu) >= (10, 2) else ()


class Trouble(Exception):
    """A step did not come out as it has to."""


class Dead(Trouble):
    """The guest is gone or no longer answers."""


class Job:
    """One request to the agent, or one command running in the guest."""

    def __init__(self, agent, number):
        self.agent, self.number = agent, number
        self.lines, self.records = [], []
        self.status = None

    def wait(self, timeout):
        """Wait for the end; the exit status of a command, 0 for a request."""
        self.agent.until(lambda: self.status is not None, timeout, "the command's end")
        return self.status

    def wait_line(self, pattern, timeout):
        """Wait for a line of output that matches, or for the end."""
        self.agent.until(lambda: self.status is not None
                         or any(re.search(pattern, line) for line in self.lines),
                         timeout, f"a line like {pattern!r}")


class Agent:
    """The host's end of the agent's line protocol (guest/agent.c)."""

    def __init__(self, sock, slow):
        self.sock, self.slow = sock, slow
        self.changed = threading.Condition()
        self.jobs = {"0": Job(self, "0")}
        self.dead = False
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        with self.sock.makefile("r", errors="replace", newline="\n") as stream:
            try:
                for line in stream:
                    self._frame(line)
            except OSError:
                pass
        with self.changed:
            self.dead = True
            self.changed.notify_all()

    def _frame(self, line):
        word = line.rstrip("\n").split(" ", 3)
        if len(word) < 3 or word[0] != "@" or word[1] not in self.jobs:
            return
        job, kind, text = self.jobs[word[1]], word[2], unquote("".join(word[3:]))
        with self.changed:
            if kind == "out":
                job.lines.append(text)
            elif kind == "kmsg":
                job.records.append(text)
            elif kind == "err":
                job.lines.append(text)
                job.status = -1
            else:
                job.status = int(text or 0)
            self.changed.notify_all()

    def until(self, done, timeout, what):
        """Wait for done(), which reads what frames change."""
        with self.changed:
            if not self.changed.wait_for(lambda: done() or self.dead, timeout * self.slow):
                raise Trouble(f"no sign of {what} within {timeout:g} s")
            if self.dead and not done():
                raise Dead("the guest died")

    def ask(self, *words):
        """Send one request; words are given to the agent as they are."""
        with self.changed:
            number = str(len(self.jobs))
            job = self.jobs[number] = Job(self, number)
        line = " ".join([number, words[0], *(quote(w, safe="/:=,.+") for w in words[1:])])
        try:
            self.sock.sendall(line.encode() + b"\n")
        except OSError as err:
            raise Dead("the guest died") from err
        return job


class Socket:
    """A line-wise conversation with QEMU over a UNIX socket."""

    def __init__(self, path, alive):
        self.sock = socket.socket(socket.AF_UNIX)
        for _ in range(200):
            try:
                self.sock.connect(str(path))
                break
            except OSError:
                if not alive():
                    raise Dead("QEMU did not start") from None
                time.sleep(0.05)
        self.stream = self.sock.makefile("rw", newline="\n")
        self.lock = threading.Lock()

    def line(self, text=None):
        """Send a line, if any, and receive one."""
        try:
            if text is not None:
                self.stream.write(text + "\n")
                self.stream.flush()
            answer = self.stream.readline()
        except OSError as err:
            raise Dead("QEMU is gone") from err
        if not answer:
            raise Dead("QEMU is gone")
        return answer.strip()


class VM:
    """One QEMU process: start it, talk to the guest, reach around the guest.

    slow is how much more time than usual the guest gets for all it does.
    """

    def __init__(self, qemu, arguments, kernel, initrd, append, logs, slow=1):
        self.logs, self.slow = Path(logs), slow
        self.console = self.logs / "console.log"
        self.folder = Path(tempfile.mkdtemp(prefix="vg-"))
        self.records = []
        agent, qmp, qtest = (self.folder / n for n in ("agent", "qmp", "qtest"))
        command = ["setpriv", "--pdeathsig", "KILL", qemu, *COMMON,
                   "-accel", accelerator(qemu), *translation(qemu),
                   "-serial", f"file:{self.console}",
                   "-serial", f"unix:{agent},server=on,wait=off",
                   "-qmp", f"unix:{qmp},server=on,wait=off",
                   "-qtest", f"unix:{qtest},server=on,wait=off",
                   "-kernel", str(kernel), "-initrd", str(initrd),
                   "-append", f"{KERNEL_LINE} {append}".strip(), *arguments]
        (self.logs / "qemu.cmd").write_text(" ".join(command) + "\n")
        with open(self.logs / "qemu.log", "wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, env=environment(qemu))
        try:
            self.agent = Agent(Socket(agent, self.alive).sock, slow)
            self.monitor = Socket(qmp, self.alive)
            self.monitor.line()
            self.qmp("qmp_capabilities")
            self.outside = Socket(qtest, self.alive)
        except Exception:
            self.kill()
            raise

    def alive(self):
        """Whether the QEMU process runs."""
        return self.process.poll() is None

    def boot(self, timeout):
        """Let the paused machine go and wait for the agent."""
        self.qmp("cont")
        self.agent.until(self.booted, timeout, "the guest's agent")
        self.kmsg()

    def booted(self):
        """Whether the agent has said so."""
        return self.agent.jobs["0"].status == 0

    def kill(self):
        """End the QEMU process and forget its sockets."""
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- inside -----------------------------------------------------------

    def start(self, *argv):
        """Start a command in the guest."""
        return self.agent.ask("run", *argv)

    def kmsg(self, timeout=30):
        """Fetch new kernel log records: (level, text) appended to records."""
        job = self.agent.ask("kmsg")
        job.wait(timeout)
        for record in job.records:
            head, _, text = record.partition(";")
            self.records.append((int(head.split(",")[0]) & 7, text.split("\n")[0]))

    # -- around -----------------------------------------------------------

    def qmp(self, execute, **arguments):
        """Run a monitor command and give back its answer."""
        with self.monitor.lock:
            text = json.dumps({"execute": execute, "arguments": arguments})
            answer = json.loads(self.monitor.line(text))
            while "event" in answer:
                answer = json.loads(self.monitor.line())
        if "error" in answer:
            raise Trouble(f"{execute}: {answer['error']['desc']}")
        return answer["return"]

    def hmp(self, line):
        """Run a human monitor command; anything it prints is its answer."""
        return self.qmp("human-monitor-command", **{"command-line": line})

    def qtest(self, *words):
        """One qtest command; the words of the answer after OK."""
        with self.outside.lock:
            line = " ".join(hex(w) if isinstance(w, int) else w for w in words)
            answer = self.outside.line(line).split()
        if answer[:1] != ["OK"]:
            raise Trouble(f"qtest {line}: {' '.join(answer)}")
        return answer[1:]

    def read(self, address, size):
        """Read guest-physical memory or a register from outside."""
        if size in (4, 8):
            return int(self.qtest("readl" if size == 4 else "readq", address)[0], 16)
        raise Trouble(f"no access of {size} bytes")

    def write(self, address, size, value):
        """Write guest-physical memory or a register from outside."""
        self.qtest("writel" if size == 4 else "writeq", address, value)

    def config(self, device, offset, value=None):
        """Read, or write, a dword of configuration space.

        Once it runs, where memory is it: ports cf8 and cfc are the guest's, and an
        address that the one has set the other would use. Before, firmware has not put
        it there yet.
        """
        bus, slot, function = (int(n, 16) for n in re.findall("[0-9a-f]+", device)[-3:])
        at = bus << 16 | slot << 11 | function << 8
        if self.booted():
            get, put, at = "readl", "writel", ECAM + (at << 4) + offset
        else:
            self.qtest("outl", 0xcf8, 1 << 31 | at | offset)
            get, put, at = "inl", "outl", 0xcfc
        if value is None:
            return int(self.qtest(get, at)[0], 16)
        return self.qtest(put, at, value)

    def state(self, image):
        """Find device state in QEMU that no guest could write.

        image is what the registers read as from their start on; the one place
        in QEMU's own memory that holds these bytes is where they are kept.
        Gives back functions to get and put a word at an offset from there.
        """
        found = []
        memory = open(f"/proc/{self.process.pid}/mem", "r+b", buffering=0)
        for area in Path(f"/proc/{self.process.pid}/maps").read_text().splitlines():
            span, rights, *_ = area.split()
            start, end = (int(n, 16) for n in span.split("-"))
            # The guest's RAM and code caches are large; heaps are not.
            if not rights.startswith("rw-p") or end - start > 256 << 20:
                continue
            memory.seek(start)
            try:
                data = memory.read(end - start)
            except OSError:
                continue
            at = data.find(image)
            while at >= 0:
                found.append(start + at)
                at = data.find(image, at + 1)
        if len(found) != 1:
            raise Trouble(f"device state found at {len(found)} places, not 1")

        def get(offset, size):
            memory.seek(found[0] + offset)
            return int.from_bytes(memory.read(size), "little")

        def put(offset, size, value):
            memory.seek(found[0] + offset)
            memory.write(value.to_bytes(size, "little"))

        return get, put
