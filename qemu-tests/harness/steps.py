# SPDX-License-Identifier: GPL-2.0
"""What a scenario can do: one method of Steps per verb.

A step is a table with one verb and its options. In all of its texts {name}
stands for a device of the platform, {vector} for the vector drawn for this
run of the scenario, {spurious} for how the kernel logs its arrival, and
{many:1000} for that number, or a tenth of it where that is to do, or a fiftieth where
the guest is slow, and {21|121} for the first number, or the second where it is slow.
"""

import random
import re
import shlex
import time

from .vm import ECAM, Trouble

#: What no healthy kernel prints.
SPLAT = re.compile(
    r"WARNING: |BUG: |\bOops\b|general protection fault|Kernel panic|Call Trace:|cut here|"
    r"possible (circular|recursive) locking|inconsistent lock state|suspicious RCU|"
    r"locking correctness validator|ODEBUG|kmemleak: (\d+ new|.*disabled|Cannot)|"
    r"scheduling while atomic|sleeping function called|blocked for more than|"
    r"detected stalls?|self-detected stall|soft lockup|hard LOCKUP|KASAN|KFENCE|UBSAN|"
    r"refcount_t: |corruption|still has locks held|agent: records were lost")

DMAR, AMDVI = 0xfed90000, 0xfed80000
GCMD, GSTS = DMAR + 0x18, DMAR + 0x1c
#: GSTS bits that name a state; the others report a one-shot command.
GSTS_STATE = 0x96ffffff
GCMD_BITS = {"TE": 31, "QIE": 26, "IRE": 25}
#: The AMD IOMMU's event log: registers, and bits of the last.
EVENT_HEAD, EVENT_TAIL, EVENT_STATUS = 0x2010, 0x2018, 0x2020
EVENT_OVERFLOW, EVENT_LOG_INT = 1 << 0, 1 << 1


def fields(text):
    """The event word and the key=value fields of a line of vfio-guard."""
    _, _, rest = text.partition("vfio-guard: ")
    words = shlex.split(rest)
    return (words[0] if words else ""), dict(w.split("=", 1) for w in words[1:] if "=" in w)


class Steps:
    """Runs the steps of one scenario on one VM."""

    def __init__(self, vm, names, log, few=False):
        self.vm, self.log, self.few = vm, log, few
        # Above those in use, below the kernel's own, and not 0x80, at which it panics.
        vector = random.choice([v for v in range(0x60, 0xe0) if v != 0x80])
        self.names = {**names, "vector": str(vector),
                      "spurious": rf"\b0\.{vector} No irq handler|No irq handler for 0\.{vector}$"}
        self.jobs = {}
        self.amdvi = None  # the IOMMU's registers in QEMU's memory
        self.output = []  # of the last command
        self.undone = []
        self.snapshots = {}
        self.mark = self.cursor = len(vm.records)
        self.panicked = False

    def fill(self, value):
        """Put the names' values for {name} in a step's texts."""
        if isinstance(value, str):
            value = re.sub(r"\{(\d+)\|(\d+)\}", lambda m: m[1 + (self.vm.slow > 1)], value)
            value = re.sub(r"\{many:(\d+)\|(\d+)\}", lambda m: m[1 + self.few], value)
            value = re.sub(r"\{many:(\d+)\}", lambda m: str(self.many(int(m[1]))), value)
            return re.sub(r"\{(\w+)\}", lambda m: self.names.get(m[1], m[0]), value)
        if isinstance(value, list):
            return [self.fill(v) for v in value]
        if isinstance(value, dict):
            return {k: self.fill(v) for k, v in value.items()}
        return value

    def many(self, number):
        """How often to do what is to be done this often."""
        if self.vm.slow > 1:
            return max(number // 50, min(number, 20))
        return max(number // 10, min(number, 50)) if self.few else number

    def run(self, step):
        """Run one step; Trouble if it does not come out right."""
        verb = next(iter(step))
        step = self.fill(step)
        self.log(f"step: {step}")
        method = getattr(self, "do_" + verb, None)
        if not method:
            raise Trouble(f"no such step: {verb}")
        method(**step)

    def records(self, start=None):
        """Texts of the kernel log since the scenario's start."""
        self.vm.kmsg()
        return [text for _, text in self.vm.records[self.mark if start is None else start:]]

    # -- in the guest -------------------------------------------------------

    def _command(self, argv, status=0, out="", timeout=60):
        job = self.vm.start(*argv)
        try:
            got = job.wait(timeout)
        finally:
            self.output = job.lines
            self.log("".join(f"    | {line}\n" for line in job.lines).rstrip() or "    | -")
        text = "\n".join(job.lines)
        if (got == 0) if status == "any failure" else (got != status):
            raise Trouble(f"exit status {got}, not {status}: {text[-600:]}")
        if out and not re.search(out, text, re.M):
            raise Trouble(f"no {out!r} in the output: {text[-600:]}")

    def do_sh(self, sh, **options):
        """A shell command; status and out say what must come of it."""
        self._command(["sh", "-c", sh], **options)

    def do_client(self, client, **options):
        """The attack client, which says itself whether all went as wanted."""
        self._command(["vfio-client", *client.split()], **options)

    def do_load(self, load, fails=None, timeout=60):
        """Load the guard with these parameters; fails: the error to see."""
        self._command(["insmod", "/lib/vfio-guard.ko", *load.split()], timeout=timeout,
                      status="any failure" if fails else 0, out=fails or "")

    def do_unload(self, unload, timeout=60):
        """Unload the guard."""
        if unload:
            self._command(["rmmod", "vfio_guard"], timeout=timeout)

    def do_bind(self, bind, driver="vfio-pci"):
        """Give devices, space-separated, to a driver ("" for none)."""
        for device in bind.split():
            self._command(["vg-bind", device, driver])

    def do_start(self, start, client=None, sh=None, until="^# holding", timeout=60):
        """Start a command that goes on, and wait for a line of it."""
        argv = ["vfio-client", *client.split()] if client else ["sh", "-c", sh]
        job = self.jobs[start] = self.vm.start(*argv)
        if until:
            job.wait_line(until, timeout)
            if job.status:
                raise Trouble(f"{start}: exit status {job.status}: {' '.join(job.lines)[-600:]}")

    def do_finish(self, finish, wait_for="", status=0, out="", timeout=60):
        """Let a started command end: its stdin closes, once it said wait_for if given."""
        job = self.jobs.pop(finish)
        if wait_for:
            job.wait_line(wait_for, timeout)
        self.vm.agent.ask("eof", job.number).wait(10)
        got = job.wait(timeout)
        text = "\n".join(job.lines)
        self.log("".join(f"    | {line}\n" for line in job.lines).rstrip())
        if got != status:
            raise Trouble(f"{finish}: exit status {got}, not {status}: {text[-600:]}")
        if out and not re.search(out, text, re.M):
            raise Trouble(f"{finish}: no {out!r} in the output: {text[-600:]}")

    def do_release(self, release):
        """Close a started command's stdin and don't wait: it may take the guest with it."""
        self.vm.agent.ask("eof", self.jobs[release].number).wait(10)

    def do_kunit(self, kunit, wait=120):
        """Load a module of KUnit suites; each case has to pass."""
        start = len(self.vm.records)
        self._command(["sh", "-c", f"modprobe kunit autorun=1 && insmod /lib/{kunit}.ko"],
                      timeout=wait)
        state = {}

        def look():
            state["lines"] = lines = [t for t in self.records(start)]
            ended = sum(bool(re.match(r"(not )?ok \d+ \w", t)) for t in lines)
            plans = [int(t[3:]) for t in lines if re.fullmatch(r"1\.\.\d+", t)]
            return "" if plans and ended == plans[0] else f"{ended} suites ended of {plans}"

        self._await(wait, look)
        cases = [t for t in state["lines"] if re.match(r" {4}(not )?ok \d+ ", t)]
        failed = [t.strip() for t in cases if "not ok" in t]
        skipped = sum("# SKIP" in t for t in cases)
        self.log(f"    {len(cases)} cases, {len(failed)} failed, {skipped} skipped")
        if failed or not cases:
            raise Trouble(f"of {len(cases)} cases failed: {', '.join(failed)}")
        self._command(["rmmod", kunit])

    def do_sleep(self, sleep):
        """Let time pass."""
        time.sleep(sleep)

    # -- around the guest ---------------------------------------------------

    def _change(self, what, read, write, expect=None, mask=~0, undo=True, set=0, clear=0,
                value=None):
        """Check a word and, if asked to, change it; clean() or undo changes it back."""
        old = read()
        if expect is not None and old & mask != expect:
            raise Trouble(f"{what} reads {old:#x}, not {expect:#x}")
        new = value if value is not None else (old | set) & ~clear
        self.log(f"    {what}: {old:#x} -> {new:#x}")
        if new != old:
            write(new)
            if undo:
                self.undone.append(lambda: write(old))
        elif expect is None:
            raise Trouble(f"{what} is {old:#x} already")

    def do_mmio(self, mmio, size=4, **options):
        """Change, or just expect, a register or a word of guest memory."""
        self._change(f"{mmio:#x}", lambda: self.vm.read(mmio, size),
                     lambda v: self.vm.write(mmio, size, v), **options)

    def do_config(self, config, at, **options):
        """Change, or just expect, a dword of a device's configuration space."""
        self._change(f"{config} config {at:#x}", lambda: self.vm.config(config, at),
                     lambda v: self.vm.config(config, at, v), **options)

    def _config_spaces(self):
        """The configuration space of every function on the first buses: {(BDF, offset): dword}."""
        spaces = {}
        for rid in range(16 << 8):
            base = ECAM + (rid << 12)
            if self.vm.read(base, 4) & 0xffff == 0xffff:
                continue
            name = f"{rid >> 8:02x}:{rid >> 3 & 31:02x}.{rid & 7}"
            data = bytes.fromhex(self.vm.qtest("read", base, 4096)[0][2:])
            spaces |= {(name, i): int.from_bytes(data[i:i + 4], "little")
                       for i in range(0, 4096, 4)}
        return spaces

    def do_snapshot(self, snapshot):
        """Remember, by this name, the configuration space of all functions."""
        self.snapshots[snapshot] = spaces = self._config_spaces()
        self.log(f"    {len(spaces) // 1024} functions")

    def do_same(self, same, but=()):
        """Configuration space is as remembered; but: "BDF OFFSET OLD NEW" for what is not."""
        old, new = self.snapshots[same], self._config_spaces()
        changes = [f"{name} {at:#x} {old.get((name, at), 0):#x} {new.get((name, at), 0):#x}"
                   for name, at in sorted(old | new) if old.get((name, at)) != new.get((name, at))]
        for change in changes:
            self.log(f"    {change}")
        if changes != list(but):
            raise Trouble(f"changed: {'; '.join(changes[:8]) or 'nothing'}")

    def do_gcmd(self, gcmd):
        """Switch an enable of the VT-d unit off behind the kernel's back."""
        old = self.vm.read(GSTS, 4) & GSTS_STATE
        bit = 1 << GCMD_BITS[gcmd]
        if not old & bit:
            raise Trouble(f"{gcmd} is not on (GSTS {old:#x})")
        self.vm.write(GCMD, 4, old & ~bit)
        if self.vm.read(GSTS, 4) & bit:
            raise Trouble(f"{gcmd} did not go off")
        self.undone.append(lambda: self.vm.write(GCMD, 4, old))

    def do_dte(self, dte, word=2, copy_of=None, **options):
        """Change a 64-bit word of a device's entry in the AMD device table."""
        def entry(device):
            bus, slot, function = (int(n, 16) for n in re.split("[:.]", device)[-3:])
            base = self.vm.read(AMDVI, 8) & 0xffffffffff000
            return base + 32 * (bus << 8 | slot << 3 | function) + 8 * word

        if copy_of:
            options["value"] = self.vm.read(entry(copy_of), 8)
        self.do_mmio(entry(dte), size=8, **options)

    def do_event(self, event, code, flags=0, address=0x100000, count=1, read=0, raised=True,
                 handled=True):
        """Log events as the AMD IOMMU does (AMD IOMMU spec 2.5), and raise its interrupt.

        event is who made the request, flags are bits 27:16 of the second word. The
        log takes what fits; more is an overflow. Of the events the first read are
        gone when the interrupt comes, as if the kernel had been quicker. Not raised, no
        interrupt comes; not handled, nobody waits for the kernel to read the log.
        """
        bus, slot, function = (int(n, 16) for n in re.split("[:.]", event)[-3:])
        words = (bus << 8 | slot << 3 | function | flags << 48 | code << 60, address)
        if not self.amdvi:
            self.amdvi = self.vm.state(b"".join(
                self.vm.read(AMDVI + i, 4).to_bytes(4, "little") for i in range(0, 64, 4)))
        _, put = self.amdvi
        base = self.vm.read(AMDVI + 0x10, 8)
        log, size = base & 0xffffffffff000, 16 << (base >> 56 & 15)
        status = EVENT_LOG_INT
        # No time passes for the guest between the record and the interrupt.
        self.vm.qmp("stop")
        head, tail = (self.vm.read(AMDVI + at, 4) for at in (EVENT_HEAD, EVENT_TAIL))
        for n in range(count):
            if (tail + 16) % size == head:
                status |= EVENT_OVERFLOW
                break
            for i, word in enumerate(words):
                self.vm.write(log + tail + 8 * i, 8, word if n >= read else 0)
            tail = (tail + 16) % size
            if n < read:
                head = tail
        self.log(f"    {size} bytes at {log:#x}: head {head:#x}, tail {tail:#x}, status {status}")
        self.vm.write(AMDVI + EVENT_HEAD, 4, head)
        self.vm.write(AMDVI + EVENT_TAIL, 4, tail)
        put(EVENT_STATUS, 4, self.vm.read(AMDVI + EVENT_STATUS, 4) | status)
        if raised:
            self.vm.write(*self._amdvi_message())
        self.vm.qmp("cont")
        if not (raised and handled):
            return
        # QEMU 7.2 ignores it when the kernel clears these bits, and the kernel's thread
        # goes round and round, at real-time priority, until somebody does.
        end = time.monotonic() + 10 * self.vm.slow
        while self.vm.read(AMDVI + EVENT_HEAD, 4) != tail:
            if time.monotonic() > end:
                raise Trouble("the kernel did not read the event log")
            time.sleep(0.001)
        put(EVENT_STATUS, 4, self.vm.read(AMDVI + EVENT_STATUS, 4) & ~status)
        self._command(["sh", "-c", "until grep -qs 'irq/.*-AMD-Vi) S' /proc/[0-9]*/stat; "
                       "do :; done"])

    def _amdvi_message(self):
        """The message by which the AMD IOMMU interrupts: (address, size, data)."""
        def config(at):
            return self.vm.read(ECAM + (function << 12) + (at & ~3), 4) >> 8 * (at & 3)

        for function in range(256):
            if config(0x08) >> 16 == 0x0806:
                break
        else:
            raise Trouble("there is no IOMMU's function on the root bus")
        at = config(0x34) & 0xff
        while at and config(at) & 0xff != 5:
            at = config(at) >> 8 & 0xff
        if not at or not config(at) >> 16 & 1:
            raise Trouble("the IOMMU's MSI is off")
        wide = config(at) >> 23 & 1
        address = config(at + 4) | (config(at + 8) << 32 if wide else 0)
        return address, 4, config(at + (12 if wide else 8)) & 0xffff

    def do_poke(self, poke, length, at, size=4, **options):
        """Change state of an emulated device that is read-only to all but it.

        poke is where its registers start (an MMIO address, or a device for its
        configuration space), length how much of them tells them from all else.
        """
        read = (lambda i: self.vm.config(poke, i)) if isinstance(poke, str) else \
            (lambda i: self.vm.read(poke + i, 4))
        image = b"".join(read(i).to_bytes(4, "little") for i in range(0, length, 4))
        get, put = self.vm.state(image)
        self._change(f"state of {poke} at {at:#x}", lambda: get(at, size),
                     lambda v: put(at, size, v), **options)

    def do_hmp(self, hmp, out="", then=None):
        """A line to QEMU's human monitor; and another, before the guest does anything."""
        if then:
            self.vm.qmp("stop")
        end = time.monotonic() + 10 * self.vm.slow
        answer = self.vm.hmp(hmp)
        # What the guest has let go is QEMU's until the slot's power is off.
        while "Duplicate device ID" in answer and time.monotonic() < end:
            time.sleep(0.1)
            answer = self.vm.hmp(hmp)
        if not re.search(out, answer) or (answer.strip() and not out):
            raise Trouble(f"{hmp}: {answer.strip()}")
        if then:
            self.do_hmp(then)
            self.vm.qmp("cont")

    def do_traced(self, traced, wait=5):
        """QEMU must have said this, by an event that "trace-event NAME on" asked for."""
        def look():
            said = (self.vm.logs / "qemu.log").read_text(errors="replace")
            return "" if re.search(traced, said) else f"QEMU said nothing like {traced!r}"
        self._await(wait, look)

    def do_undo(self, undo):
        """Take back the outside's changes, the last first."""
        while undo and self.undone:
            self.undone.pop()()

    # -- what the kernel log must hold ----------------------------------------

    def _await(self, wait, look):
        """look() again until it gives no complaint or the time is over."""
        end = time.monotonic() + wait * self.vm.slow
        while (complaint := look()) and time.monotonic() < end:
            time.sleep(0.2)
        if complaint:
            raise Trouble(complaint)

    def do_log(self, log, count=None, wait=5):
        """A line that must have been logged, count times if given."""
        def look():
            hits = [t for t in self.records() if re.search(log, t)]
            if (len(hits) != count) if count is not None else not hits:
                return f"{len(hits)} log lines like {log!r}, not {count or 'any'}"
            return None
        self._await(wait, look)

    def do_absent(self, absent, wait=0.5):
        """A line that must not be logged, now or in the next moment."""
        time.sleep(wait * self.vm.slow)
        for text in self.records():
            if re.search(absent, text):
                raise Trouble(f"must not be in the log: {text}")

    def do_says(self, says, dev=None, reasons=(), lacks=(), exactly=None, wait=5, **want):
        """The guard's next line of this event about this device, and what is in it."""
        state = {}

        def look():
            for i, text in enumerate(self.records(self.cursor), self.cursor):
                if "vfio-guard: " not in text:
                    continue
                event, have = fields(text)
                if event == says and dev in (None, have.get("dev")) and "suppressed" not in have:
                    state.update(have=have, text=text, next=i + 1)
                    return None
            return f"no {says} line" + (f" about {dev}" if dev else "")

        self._await(wait, look)
        have, text = state["have"], state["text"]
        self.log(f"    {text}")
        self.cursor = state["next"]
        found = set(have.get("reasons", "").split(",")) - {""}
        wrong = [f"no {r}" for r in reasons if r not in found]
        wrong += [f"has {r}" for r in lacks if r in found]
        if exactly is not None and found != set(exactly):
            wrong.append(f"reasons are not {','.join(exactly) or 'empty'}")
        wrong += [f"{k} is not {v}" for k, v in want.items() if have.get(k) != v]
        if wrong:
            raise Trouble(f"{'; '.join(wrong)}: {text}")

    def do_silent(self, silent, dev=None):
        """No line of this event (about this device) since the last one asked for."""
        for text in self.records(self.cursor):
            if "vfio-guard: " in text:
                event, have = fields(text)
                if event == silent and dev in (None, have.get("dev")):
                    raise Trouble(f"must not be said: {text}")

    def do_tally(self, tally, total, lines=60, dev=None):
        """Lines of this event, each of one case or of the number it says, make total."""
        printed = counted = 0
        for text in self.records():
            if "vfio-guard: " in text:
                event, have = fields(text)
                if event == tally and dev in (None, have.get("dev")):
                    printed += 1
                    counted += int(have.get("suppressed", have.get("faults", 1)))
        self.log(f"    {printed} {tally} lines tell of {counted}")
        total = int(total)
        if counted != total or printed > lines:
            raise Trouble(f"{printed} {tally} lines tell of {counted}, "
                          f"not at most {lines} of {total}")

    def do_panic(self, panic, wait=60):
        """The guest must die, its console saying so."""
        end = time.monotonic() + wait * self.vm.slow
        while self.vm.alive() and time.monotonic() < end:
            time.sleep(0.1)
        if self.vm.alive() or not re.search(panic, self.vm.console.read_text(errors="replace")):
            raise Trouble(f"no panic with {panic!r}")
        self.panicked = True

    # -- the end --------------------------------------------------------------

    def clean(self):
        """Leave the guest as it was found."""
        for job in self.jobs.values():
            if job.status is None:
                self.vm.agent.ask("kill", job.number, "9").wait(10)
                job.wait(10)
        self.jobs.clear()
        self._command(["sh", "-c", "! grep -q ^vfio_guard /proc/modules || rmmod vfio_guard"])
        self.do_undo(True)

    def splats(self, allowed=()):
        """Complaints of the kernel since the scenario's start."""
        return [t for t in self.records() if SPLAT.search(t)
                and not any(re.search(a, t) for a in allowed)]
