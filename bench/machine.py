"""What the machine is, for reports."""
import os
import platform


def cpu_name():
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
            for line in lines:
                key, _, value = line.partition(":")
                if key.strip() in ("model name", "Model"):
                    return value.strip()
    except OSError:
        pass
    return platform.machine()


def describe():
    """The CPU's name and number of cores, the system, and how busy it is now (load average)."""
    return {"cpu": cpu_name(), "cores": os.cpu_count(), "system": f"{platform.system()} "
            f"{platform.release()} {platform.machine()}", "load": round(os.getloadavg()[0], 2)}
