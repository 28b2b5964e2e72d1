"""Boards to emulate: the CPU that qemu shows, and the files of /proc and /sys by which runtimes
choose kernels for a core. Without them programs would read those of this computer."""
import pathlib

_BASE = "fp asimd evtstrm crc32 cpuid"
_DOT = ("fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop "
        "asimddp")
CORES = 4

# Name: CPU of qemu, part of MIDR, features, title. An A55 has the features of qemu's A76.
BOARDS = {
    "a53": ("cortex-a53", "0xd03", _BASE, "Cortex-A53 (Raspberry Pi 3, Zero 2 W)"),
    "a55": ("cortex-a76", "0xd05", _DOT, "Cortex-A55"),
    "a72": ("cortex-a72", "0xd08", _BASE, "Cortex-A72 (Raspberry Pi 4)"),
    "a76": ("cortex-a76", "0xd0b", _DOT, "Cortex-A76 (Raspberry Pi 5)"),
    "i8mm": ("max,sve=off,sme=off", "0xd47", f"{_DOT} i8mm bf16", "i8mm (Cortex-A710)"),
}


def cpuinfo(part, features):
    block = (f"BogoMIPS\t: 108.00\nFeatures\t: {features}\nCPU implementer\t: 0x41\n"
             f"CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: {part}\nCPU revision\t: 1\n")
    return "".join(f"processor\t: {i}\n{block}\n" for i in range(CORES))


def write(name, folder, sysroot):
    """Makes the files of board `name` below `folder`, with the libraries of `sysroot`: what
    toolchains/emulate takes as PJ_BOARD."""
    _, part, features, _ = BOARDS[name]
    folder = pathlib.Path(folder)
    cpus = folder / "sys/devices/system/cpu"
    files = {folder / "proc/cpuinfo": cpuinfo(part, features), cpus / "possible": f"0-{CORES - 1}\n",
             cpus / "present": f"0-{CORES - 1}\n", cpus / "kernel_max": f"{CORES - 1}\n"}
    for i in range(CORES):
        cpu = cpus / f"cpu{i}"
        files[cpu / "topology/physical_package_id"] = "0\n"
        files[cpu / "topology/core_siblings_list"] = f"0-{CORES - 1}\n"
        files[cpu / "topology/cluster_cpus_list"] = f"0-{CORES - 1}\n"
        files[cpu / "cpufreq/cpuinfo_max_freq"] = "1500000\n"
        files[cpu / "cpufreq/cpuinfo_min_freq"] = "600000\n"
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for entry in pathlib.Path(sysroot).iterdir():
        if entry.is_dir():
            (folder / entry.name).symlink_to(entry.resolve())
