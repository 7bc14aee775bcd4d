# SPDX-License-Identifier: GPL-2.0
"""The initramfs of a test guest: busybox, the agent, the client, modules."""

import lzma
import os
import stat
import subprocess
from pathlib import Path

#: Kernel modules the scenarios load, with whatever these depend on.
MODULES = ("vfio-pci", "vfio_iommu_type1", "e1000", "pci-stub", "uio_pci_generic", "kunit")


class Cpio:
    """A cpio archive in the kernel's initramfs format ("newc")."""

    def __init__(self):
        self.parts = []
        self.inode = 0
        self.dirs = set()

    def add(self, path, mode, data=b"", device=(0, 0)):
        """Append one entry, and the folders above it if they are new."""
        parent = os.path.dirname(path)
        if parent and parent not in self.dirs and path != "TRAILER!!!":
            self.add(parent, stat.S_IFDIR | 0o755)
        if stat.S_ISDIR(mode):
            self.dirs.add(path)
        self.inode += 1
        name = path.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name), 0)
        head = b"070701" + b"".join(b"%08x" % f for f in fields) + name
        for part in (head, data):
            self.parts.append(part + b"\0" * (-len(part) % 4))

    def program(self, path, source):
        """Append an executable copied from this machine."""
        self.add(path, stat.S_IFREG | 0o755, Path(source).read_bytes())

    def link(self, path, target):
        """Append a symbolic link."""
        self.add(path, stat.S_IFLNK | 0o777, target.encode())

    def done(self):
        """The archive's bytes."""
        self.add("TRAILER!!!", 0)
        return b"".join(self.parts)


def module_tree(root):
    """Map of normalised name to file for all modules below root."""
    tree = {}
    for path in Path(root).rglob("*.ko*"):
        tree[path.name.split(".ko")[0].replace("-", "_")] = path
    return tree


def module_bytes(path):
    """A module's ELF image, whatever way it is compressed."""
    data = Path(path).read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def module_depends(data):
    """Names a module depends on, from its .modinfo."""
    start = data.find(b"\0depends=")
    if start < 0:
        return []
    text = data[start + 9:data.index(b"\0", start + 9)].decode()
    return [name.replace("-", "_") for name in text.split(",") if name]


def add_modules(cpio, root, release):
    """Put MODULES, their dependencies and a modules.dep into the archive."""
    tree = module_tree(root)
    depends, todo = {}, [name.replace("-", "_") for name in MODULES]
    while todo:
        name = todo.pop()
        if name in depends or name not in tree:
            continue
        data = module_bytes(tree[name])
        depends[name] = module_depends(data)
        todo += depends[name]
        cpio.add(f"lib/modules/{release}/{name}.ko", stat.S_IFREG | 0o644, data)

    def closure(name):
        """What has to be loaded before name, nearest first."""
        out = []
        for other in depends[name]:
            if other in depends:
                out += [other] + closure(other)
        return list(dict.fromkeys(out))

    lines = [f"{n}.ko: " + " ".join(f"{d}.ko" for d in closure(n)) for n in depends]
    cpio.add(f"lib/modules/{release}/modules.dep", stat.S_IFREG | 0o644,
             ("\n".join(lines) + "\n").encode())


def build_programs(source, out):
    """Compile the guest's programs, once per change of their sources."""
    out.mkdir(parents=True, exist_ok=True)
    for name in ("agent", "vfio-client"):
        code, program = source / f"{name}.c", out / name
        if not program.exists() or program.stat().st_mtime < code.stat().st_mtime:
            subprocess.run(["gcc", "-static", "-O2", "-Wall", "-Wextra", "-Werror",
                            "-o", program, code], check=True)


def build(target, kernel, programs, scripts, extra_modules):
    """Write the initramfs of one kernel to target.

    kernel is a folder of the kernel cache; extra_modules are .ko files of
    ours, put into /lib/.
    """
    cpio = Cpio()
    release = (kernel / "release").read_text().strip()
    cpio.add("dev", stat.S_IFDIR | 0o755)
    cpio.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    for folder in ("proc", "sys", "tmp"):
        cpio.add(folder, stat.S_IFDIR | 0o755)
    cpio.program("init", programs / "agent")
    cpio.program("bin/vfio-client", programs / "vfio-client")
    cpio.program("bin/busybox", "/bin/busybox")
    for applet in subprocess.run(["/bin/busybox", "--list"], check=True, text=True,
                                 capture_output=True).stdout.split():
        if applet != "busybox":
            cpio.link(f"bin/{applet}", "busybox")
    for script in sorted(scripts.glob("vg-*")):
        cpio.program(f"bin/{script.name}", script)
    for module in extra_modules:
        cpio.add(f"lib/{module.name}", stat.S_IFREG | 0o644, module.read_bytes())
    add_modules(cpio, kernel / "modules", release)
    target.write_bytes(cpio.done())
