"""Puts the peers of requirements.txt into a virtual environment outside of the source tree."""
import os
import pathlib
import subprocess
import sys

_HERE = pathlib.Path(__file__).resolve().parent


def cache():
    """The folder of everything that is fetched or made for the comparison."""
    root = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(root) / "picojoule" / "peers"


def python():
    return cache() / "venv" / "bin" / "python"


def site_packages():
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return cache() / "venv" / "lib" / version / "site-packages"


def requirements():
    """{package name in lower case: its line}"""
    lines = (_HERE / "requirements.txt").read_text().split()
    return {line.split("==")[0].lower(): line for line in lines}


def version(package):
    return requirements()[package].partition("==")[2]


def _pip(line):
    # Without dependencies: those of pnnx are gigabytes for another use of it, those of MNN and
    # OpenVINO report their use to their makers, and the rest is not needed to run models.
    command = [str(python()), "-m", "pip", "install", "-q", "--no-deps",
               "--disable-pip-version-check", line]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def ensure(packages):
    """Installs what is missing of `packages`. Returns {package: why it failed} for those that
    could not be; the others are there."""
    if not python().exists() or not site_packages().is_dir():
        print(f"Installing peers from PyPI into {cache()}", flush=True)
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(cache() / "venv")],
                              capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise SystemExit("python3 cannot make a virtual environment (Debian: apt install "
                             f"python3-venv):\n{made.stdout}{made.stderr}")
    failed = {}
    for package in packages:
        line = requirements()[package]
        stamp = cache() / "venv" / f"{line}.installed"
        if stamp.exists():
            continue
        print(f"  {line}", flush=True)
        result = _pip(line)
        if result.returncode == 0:
            stamp.touch()
        else:
            error = result.stderr.strip().splitlines()
            failed[package] = f"not installed: {error[-1] if error else 'pip failed'}"
    return failed
