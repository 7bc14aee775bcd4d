# SPDX-License-Identifier: GPL-2.0
"""The initramfs of a test guest: busybox, the agent, the client, modules."""

import lzma
import os
import re
import stat
import subprocess
import tempfile
from pathlib import Path

#: Kernel modules the scenarios load, with whatever these depend on.
MODULES = ("vfio-pci", "virtio-vfio-pci", "vfio_iommu_type1", "iommufd", "pci-stub",
           "uio_pci_generic", "e1000", "igb", "nvme", "kunit", "aer_inject",
           "hpwdt")


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


def stripped(module):
    """A module of ours as distributions install theirs: what a debugger reads takes
    longer to load than all the rest."""
    with tempfile.NamedTemporaryFile(suffix=".ko") as out:
        subprocess.run(["objcopy", "--strip-debug", module, out.name], check=True)
        return Path(out.name).read_bytes()


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
    """Compile the agent and the clients, once per change of their sources."""
    out.mkdir(parents=True, exist_ok=True)
    shared = [source / "vfio.c", source / "vfio.h"]
    sources = {"agent": [source / "agent.c"]}
    sources |= {code.stem: [code, *shared] for code in sorted(source.glob("vfio-*.c"))}
    for name, files in sources.items():
        program = out / name
        newest = max(file.stat().st_mtime for file in files)
        if not program.exists() or program.stat().st_mtime < newest:
            subprocess.run(["gcc", "-static", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program,
                            *(file for file in files if file.suffix == ".c")], check=True)
    build_vm(source, out / "vm.bin")


def build_vm(source, target):
    """Compile what a virtual machine inside the guest runs: a ROM that ends at 4 GiB."""
    files = [source / "vm.S", source / "vm.c"]
    if target.exists() and target.stat().st_mtime >= max(f.stat().st_mtime for f in files):
        return
    linked = target.with_suffix(".elf")
    subprocess.run(["gcc", "-m32", "-march=i686", "-O2", "-Wall", "-Wextra", "-Werror",
                    "-ffreestanding", "-fno-pic", "-no-pie", "-nostdlib", "-static",
                    "-fno-stack-protector", "-fno-asynchronous-unwind-tables",
                    "-Wl,--build-id=none,--entry=start,-Ttext=0xffff0000,"
                    "--section-start=.reset=0xfffffff0", "-o", linked, *files], check=True)
    subprocess.run(["objcopy", "-O", "binary", "--gap-fill", "0xff", "--pad-to", "0x100000000",
                    linked, target], check=True)


def build_vmm(target):
    """Write this machine's QEMU and all it needs as an archive to go after a guest's."""
    cpio = Cpio()
    modules = Path("/usr/lib/x86_64-linux-gnu/qemu")
    programs = [Path("/usr/bin/qemu-system-x86_64"), *sorted(modules.glob("accel-tcg-*.so"))]
    listed = subprocess.run(["ldd", *programs], check=True, text=True, capture_output=True).stdout
    for path in sorted(set(re.findall(r"^\t(?:\S+ => )?(/\S+) \(", listed, re.M))):
        cpio.program(path.lstrip("/"), path)
    for path in (*programs, Path("/usr/share/qemu/kvmvapic.bin")):
        cpio.program(str(path).lstrip("/"), path)
    target.write_bytes(cpio.done())


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
    for client in sorted(programs.glob("vfio-*")):
        cpio.program(f"bin/{client.name}", client)
    cpio.program("lib/vm.bin", programs / "vm.bin")
    cpio.program("bin/busybox", "/bin/busybox")
    for applet in subprocess.run(["/bin/busybox", "--list"], check=True, text=True,
                                 capture_output=True).stdout.split():
        if applet != "busybox":
            cpio.link(f"bin/{applet}", "busybox")
    for script in sorted(scripts.glob("vg-*")):
        cpio.program(f"bin/{script.name}", script)
    for module in extra_modules:
        cpio.add(f"lib/{module.name}", stat.S_IFREG | 0o644, stripped(module))
    add_modules(cpio, kernel / "modules", release)
    target.write_bytes(cpio.done())
