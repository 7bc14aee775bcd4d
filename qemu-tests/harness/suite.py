# SPDX-License-Identifier: GPL-2.0
"""Scenarios and platforms as read from their files, and how they are run."""

import fcntl
import fnmatch
import os
import queue
import re
import shutil
import subprocess
import threading
import time
import tomllib
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from . import image, watch
from .steps import SPLAT, Steps
from .vm import VM, Dead, Trouble

SOURCE = Path(__file__).resolve().parent.parent
QEMU = "qemu-system-x86_64"
BOOT_TIMEOUT = 120
#: How much longer things may take on a kernel that watches all it does.
SLOW = 6
#: Where what is done many times is done as often as it says.
THOROUGH = ("6.12", "try-*")
WATCHERS = "KASAN|PROVE_LOCKING"
#: Failures that are not for want of time.
GRAVE = re.compile("complained|died|leaked|lockdep|inspection|harness|boot: |should have failed")
LEAKS_OFF = "kmemleak: Kernel memory leak detector disabled"


@dataclass
class Platform:
    """A kind of host, as its file in platforms/ says."""

    name: str
    about: str
    qemu: str
    append: str = ""
    devices: dict = field(default_factory=dict)
    setup: list = field(default_factory=list)
    before_boot: list = field(default_factory=list)
    tables: dict = field(default_factory=dict)  # ACPI tables without header, in hex
    only_on: list = field(default_factory=list)
    not_on: list = field(default_factory=list)
    vmm: bool = False  # has a QEMU of its own


@dataclass
class Scenario:
    """One scenario, as its table in scenarios/*.toml says."""

    name: str
    about: str
    platform: str
    steps: list
    only_on: list = field(default_factory=list)
    not_on: list = field(default_factory=list)
    own_boot: bool = False
    timed: bool = False  # what it shows depends on the time things take
    timeout: float = 120
    allow: list = field(default_factory=list)  # regexes: complaints that are expected
    must_fail: str = ""  # regex: a test of the harness itself; how it has to fail

    def dies(self):
        """Whether it means to take the guest with it."""
        return any("panic" in step for step in self.steps)


@dataclass
class Result:
    """How one scenario came out on one kernel."""

    scenario: Scenario
    kernel: str
    verdict: str  # ok, not ok, skip
    seconds: float = 0
    why: str = ""
    excerpt: str = ""


def load(folder, key):
    """Read every TOML file of a folder: {key: [tables]} or one table per file."""
    tables = []
    for path in sorted(folder.glob("*.toml")):
        data = tomllib.loads(path.read_text())
        if key:
            common = {k: v for k, v in data.items() if k != key}
            tables += [{**common, **table} for table in data.get(key, [])]
        else:
            tables.append({"name": path.stem, **data})
    return tables


def platforms():
    """All platforms by name."""
    return {t["name"]: Platform(**t) for t in load(SOURCE / "platforms", None)}


def scenarios(globs):
    """The scenarios whose names match, all if there are no globs."""
    every = [Scenario(**t) for t in load(SOURCE / "scenarios", "scenario")]
    names = [s.name for s in every]
    twice = {n for n in names if names.count(n) > 1}
    if twice:
        raise SystemExit(f"two scenarios of one name: {', '.join(sorted(twice))}")
    return [s for s in every if not globs or any(fnmatch.fnmatch(s.name, g) for g in globs)]


def lock(cache):
    """Wait until no other run uses the cache; to be kept open while this one does."""
    cache.mkdir(parents=True, exist_ok=True)
    held = open(cache / "qemu-tests.lock", "w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("another run is under way: waiting for its end", flush=True)
        fcntl.flock(held, fcntl.LOCK_EX)
    return held


class Suite:
    """One run: what it runs on, and the results so far."""

    def __init__(self, cache, qemu, keep, tell, thorough=False):
        self.cache, self.qemu, self.keep, self.tell = Path(cache), qemu, keep, tell
        self.thorough = thorough
        self.platforms = platforms()
        self.results, self.lock = [], threading.Lock()
        self.late = []  # results that were not the last word
        self.spent = {}  # kernel: seconds by what for, of all guests together
        self.initrds, self.unbuilt = {}, {}
        self.vmms = set()  # those of the initrds with a QEMU that this run has made
        self.coverage = watch.Coverage()
        text = subprocess.run([qemu, "--version"], check=True, text=True,
                              capture_output=True).stdout
        self.version = re.search(r"version (\S+)", text)[1]
        # The results of one QEMU are not to replace those of another.
        major = self.version.split(".")[0]
        self.logs = self.cache / "logs" / ("qemu" if qemu == QEMU else f"qemu-{major}")

    def prepare(self, kernel):
        """Build the modules and the initramfs of a kernel, if it is there."""
        home = self.cache / "kernels" / kernel
        scripts = SOURCE.parent / "scripts"
        what = [[], ["--dir", str(SOURCE / "modules")]]
        if kernel.endswith("-debug") and not kernel.startswith("try-"):
            if subprocess.run([scripts / "build-kernel", kernel],
                              stdin=subprocess.DEVNULL).returncode:
                raise SystemExit(f"kernel {kernel} could not be built")
        if not (home / "release").exists():
            return
        if self.configured(kernel, "KUNIT"):
            what.append(["--kunit"])
        self.unbuilt[kernel] = ""
        for args in what:
            # With warnings as in static-checks, which may just have built the same.
            done = subprocess.run([scripts / "build-module", kernel, *args, "W=1"], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  stdin=subprocess.DEVNULL)
            if done.returncode:
                self.unbuilt[kernel] += done.stdout[-1500:]
        built = self.cache / "build"
        modules = [built / kernel / "vfio-guard.ko", *(built / f"{kernel}-tests").glob("*.ko"),
                   built / f"{kernel}-kunit" / "kunit" / "vfio-guard-kunit.ko"]
        self.initrds[kernel] = built / f"initramfs-{kernel}"
        image.build(self.initrds[kernel], home, built / "guest", SOURCE / "guest",
                    [m for m in modules if m.exists()])

    def image(self, kernel):
        """A kernel to boot: uncompressed, if it can be had so.

        For an emulated machine to unpack itself takes as long as to boot.
        """
        home = self.cache / "kernels" / kernel
        plain, packed = home / "vmlinux", home / "vmlinuz"
        tool = self.cache / "src" / "linux" / "scripts" / "extract-vmlinux"
        with self.lock:
            if not plain.exists() and tool.exists() and self.configured(kernel, "PVH"):
                done = subprocess.run([tool, packed], capture_output=True)
                if done.returncode == 0 and done.stdout:
                    new = home / "vmlinux.new"
                    new.write_bytes(done.stdout)
                    new.rename(plain)
        return plain if plain.exists() else packed

    def reason_to_skip(self, scenario, kernel):
        """Why this scenario can't run on this kernel, or nothing."""
        if kernel not in self.initrds:
            return f"kernel {kernel} is not set up (scripts/setup)"
        return self.rule_against(scenario, kernel, self.version)

    def rule_against(self, scenario, kernel, version):
        """What a rule of the scenario or its platform has against these, or nothing."""
        platform = self.platforms[scenario.platform]
        if kernel.startswith("try-"):  # rules don't know it by name
            kernel = (self.cache / "kernels" / kernel / "release").read_text().strip()

        def applies(rule):
            return fnmatch.fnmatch(kernel, rule.get("kernel", "*")) and \
                fnmatch.fnmatch(version, rule.get("qemu", "*"))

        for rule in scenario.not_on + platform.not_on:
            if applies(rule):
                return rule["reason"]
        for rule in scenario.only_on + platform.only_on:
            if not applies(rule):
                return rule["reason"]
        return ""

    def plan(self, chosen, kernels):
        """Boots to do: (kernel, platform, scenarios), the timed and the long ones first.

        One of those that take their guest with them runs as the last of the others.
        """
        boots, shared, dying = [], {}, {}
        for kernel in kernels:
            for s in chosen:
                why = self.reason_to_skip(s, kernel)
                key = (kernel, s.platform, s.timed)
                if why:
                    self.note(Result(s, kernel, "skip", why=why))
                elif s.own_boot or s.must_fail:
                    boots.append((kernel, s.platform, [s]))
                elif s.dies():
                    dying.setdefault(key, []).append(s)
                else:
                    shared.setdefault(key, []).append(s)
        for key, some in dying.items():
            shared.setdefault(key, []).append(some.pop())
            boots += [(*key[:2], [s]) for s in some]
        boots += [(k, p, group) for (k, p, _), group in shared.items()]
        return sorted(boots, key=lambda b: (not b[2][0].timed, -self.slowness(b[0])
                                            * sum(s.timeout for s in b[2])))

    def slowness(self, kernel):
        """How much more time than a distribution's kernel this one is given."""
        return SLOW if self.configured(kernel, WATCHERS) else 1

    def few(self, kernel):
        """Whether a tenth of what is done many times will do on this kernel."""
        return self.slowness(kernel) > 1 or not (
            self.thorough or any(fnmatch.fnmatch(kernel, k) for k in THOROUGH))

    def configured(self, kernel, options):
        """Whether this kernel has one of these options, given as a regex."""
        config = (self.cache / "kernels" / kernel / "config").read_text()
        return re.search(f"^CONFIG_({options})=", config, re.M)

    def run(self, chosen, kernels, jobs):
        """Run all of it, jobs boots at a time; timed ones no more than there are CPUs."""
        if self.logs.exists():
            for kernel in kernels:
                shutil.rmtree(self.logs / kernel, ignore_errors=True)
        image.build_programs(SOURCE / "guest", self.cache / "build" / "guest")
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(self.prepare, kernels))
        boots = self.plan(chosen, kernels)
        timed = [b for b in boots if b[2][0].timed]
        self.run_boots(timed, min(jobs, os.cpu_count()))
        self.run_boots(boots[len(timed):], jobs)
        self.run_again()

    def run_again(self):
        """Run what may have failed for want of time once more, with nothing beside it.

        With more guests than CPUs a wait may run out. What the kernel complained of,
        leaked or died of has failed for good.
        """
        late = [r for r in self.results if r.verdict == "not ok" and not GRAVE.search(r.why)]
        for first in late:
            self.results.remove(first)
            self.late.append(first)
            self.run_boots([(first.kernel, first.scenario.platform, [first.scenario])], 1)

    def run_boots(self, boots, jobs):
        """Run these, jobs at a time."""
        todo = queue.Queue()
        for boot in boots:
            todo.put(boot)

        def work():
            while True:
                try:
                    kernel, platform, group = todo.get_nowait()
                except queue.Empty:
                    return
                try:
                    self.run_group(kernel, self.platforms[platform], group)
                except Exception as err:  # a fault of the harness is a failure, too
                    for s in group:
                        if not any(r.scenario is s and r.kernel == kernel for r in self.results):
                            self.note(Result(s, kernel, "not ok", why=f"harness: {err!r}",
                                             excerpt=traceback.format_exc()))

        threads = [threading.Thread(target=work, daemon=True) for _ in range(jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    @contextmanager
    def clocked(self, kernel, what):
        """Note the time that what is done inside takes."""
        start = time.monotonic()
        try:
            yield
        finally:
            with self.lock:
                self.spent.setdefault(kernel, Counter())[what] += time.monotonic() - start

    def note(self, result):
        """Keep and tell a result."""
        with self.lock:
            self.results.append(result)
            self.tell(result)

    def run_group(self, kernel, platform, group):
        """Run the scenarios of one platform, in as few boots as will do."""
        vm, boots, refused, ran = None, 0, 0, []
        try:
            for scenario in group:
                if vm is None:
                    start = time.monotonic()
                    logs = self.logs / kernel / f"boot-{platform.name}" / f"{group[0].name}-{boots}"
                    boots += 1
                    try:
                        if refused >= 2:
                            raise Trouble("the platform did not boot twice before")
                        with self.clocked(kernel, "booting"):
                            vm, ran = self.boot(kernel, platform, logs, scenario.dies()), []
                    except Trouble as err:
                        refused += 1
                        self.note(Result(scenario, kernel, "not ok", time.monotonic() - start,
                                         f"boot: {err}", tail(logs / "console.log")))
                        continue
                if scenario.dies() and ran:
                    with self.clocked(kernel, "inspection"):
                        self.inspect(vm, kernel, ran)
                    ran = []
                since = watch.jiffies(vm)
                with self.clocked(kernel, "scenarios"):
                    result = self.run_one(vm, kernel, platform, scenario, since)
                self.note(result)
                ran.append((since, result))
                if self.keep and result.verdict == "not ok" and vm.alive():
                    with self.lock:
                        input(f"QEMU runs on as {vm.process.pid}, its sockets are in "
                              f"{vm.folder}; Enter ends it: ")
                if result.verdict != "ok" or scenario.must_fail or not vm.alive():
                    vm.kill()
                    vm = None
            if vm:
                with self.clocked(kernel, "inspection"):
                    self.inspect(vm, kernel, ran)
        finally:
            if vm:
                vm.kill()

    def inspect(self, vm, kernel, ran):
        """Ask a debug kernel what it found wrong while it ran these scenarios."""
        try:
            found = watch.complaints(vm, [since for since, _ in ran])
            if os.environ.get("VG_COVERAGE"):
                self.coverage.collect(vm, self.cache / "build", kernel)
        except Trouble as err:
            found = {len(ran) - 1: f"the guest failed its inspection: {err}"}
        for i, text in found.items():
            result = ran[i][1]
            result.verdict, result.why, result.excerpt = "not ok", text.split("\n")[0], text
            with self.lock:
                self.tell(result)

    def with_vmm(self, kernel):
        """The initramfs of a kernel with a QEMU in it."""
        initrd = self.cache / "build" / f"initramfs-{kernel}-vmm"
        with self.lock:
            if initrd not in self.vmms:
                vmm = self.cache / "build" / "vmm"
                if not self.vmms:
                    image.build_vmm(vmm)
                initrd.write_bytes(self.initrds[kernel].read_bytes() + vmm.read_bytes())
                self.vmms.add(initrd)
        return initrd

    def boot(self, kernel, platform, logs, dies=False):
        """Start a VM of this platform and set it up for its scenarios.

        Nobody asks a dead guest what it has leaked: to keep the books of that costs a
        debug kernel half of its boot.
        """
        logs.mkdir(parents=True, exist_ok=True)
        arguments = platform.qemu.split()
        for signature, text in platform.tables.items():
            table = logs / f"{signature}.aml"
            table.write_bytes(bytes.fromhex(re.sub("#.*", "", text)))
            arguments += ["-acpitable", f"sig={signature},data={table}"]
        initrd = self.with_vmm(kernel) if platform.vmm else self.initrds[kernel]
        append = platform.append
        if dies and self.slowness(kernel) > 1:
            append += " kmemleak=off"
        vm = VM(self.qemu, arguments, self.image(kernel), initrd, append, logs,
                self.slowness(kernel))
        log = open(logs / "setup.log", "w", buffering=1)
        try:
            steps = Steps(vm, platform.devices, lambda text: print(text, file=log),
                          self.few(kernel))
            for step in platform.before_boot:
                steps.run(step)
            vm.boot(BOOT_TIMEOUT)
            for step in platform.setup:
                steps.run(step)
            complaints = steps.splats([LEAKS_OFF] if dies else [])
            if complaints:
                raise Trouble(f"the kernel complained: {complaints[0]}")
        except Exception:
            vm.kill()
            raise
        finally:
            (logs / "kmsg.log").write_text("\n".join(t for _, t in vm.records) + "\n")
            log.close()
        return vm

    def run_one(self, vm, kernel, platform, scenario, since):
        """Run one scenario on a running VM, whose clock told these jiffies before."""
        logs = self.logs / kernel / scenario.name
        logs.mkdir(parents=True, exist_ok=True)
        console = vm.console.stat().st_size
        start = time.monotonic()
        log = open(logs / "steps.log", "w", buffering=1)
        expired = threading.Event()

        def expire():
            expired.set()
            vm.process.kill()

        timer = threading.Timer(scenario.timeout * vm.slow, expire)
        timer.start()
        steps = Steps(vm, platform.devices,
                      lambda text: print(f"[{time.monotonic() - start:7.2f}] {text}", file=log),
                      self.few(kernel))
        why, number = "", 0
        try:
            for number, step in enumerate(scenario.steps, 1):
                steps.run(step)
            number = 0
            if not steps.panicked:
                steps.clean()
                complaints = steps.splats(scenario.allow)
                if complaints:
                    raise Trouble(f"the kernel complained: {complaints[0]}")
                if scenario.must_fail:  # nobody inspects its guest later
                    why = watch.complaints(vm, [since]).get(0, "")
        except Trouble as err:
            why = str(err)
            if isinstance(err, Dead):
                why = f"timed out after {scenario.timeout:g} s" if expired.is_set() else \
                    f"{why}: {last_words(vm, console)}"
        finally:
            timer.cancel()
        if why and number:
            step = scenario.steps[number - 1]
            why = f"step {number} {step}: {why}"
            if "load" in step and self.unbuilt[kernel]:
                why += f"; not built: {self.unbuilt[kernel]}"
        try:
            if vm.alive():
                vm.kmsg(5)
        except Trouble:
            pass
        kmsg = [text for _, text in vm.records[steps.mark:]]
        (logs / "kmsg.log").write_text("\n".join(kmsg) + "\n")
        with vm.console.open("rb") as stream:
            stream.seek(console)
            (logs / "console.log").write_bytes(stream.read())
        print(f"result: {why or 'ok'}", file=log)
        log.close()
        if scenario.must_fail:
            if re.search(scenario.must_fail, why):
                why = ""
            else:
                why = f"should have failed with {scenario.must_fail!r}: {why or 'passed'}"
        return Result(scenario, kernel, "not ok" if why else "ok", time.monotonic() - start, why,
                      "\n".join(kmsg[-12:]) if why else "")


def last_words(vm, start):
    """The line of the console that says best why the guest died."""
    text = vm.console.read_bytes()[start:].decode(errors="replace")
    lines = [line.strip() for line in text.splitlines() if SPLAT.search(line)]
    return lines[0] if lines else "nothing on the console"


def tail(path, lines=12):
    """The last lines of a file that may not be there."""
    text = path.read_text(errors="replace") if path.exists() else ""
    return "\n".join(text.splitlines()[-lines:])
