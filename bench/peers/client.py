"""A worker process, commanded as protocol.md says, whatever happens to it."""
import json
import os
import selectors
import signal
import subprocess
import tempfile
import time


class Failed(Exception):
    """A worker could not do what it was told; the text says why."""


class Worker:
    """Starts `command`; every failure, also the process's death, is a Failed."""

    def __init__(self, command, timeout_s=60):
        self.timeout_s = timeout_s
        self.errors = tempfile.TemporaryFile()
        self.buffer = b""
        try:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=self.errors)
        except OSError as error:
            self.errors.close()
            raise Failed(f"cannot start {command[0]}: {error.strerror}") from error
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)

    def ask(self, line):
        """Sends a command and returns the answer's JSON object."""
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise Failed(self._death()) from None
        text = self._read_line(line.split(" ")[0])
        try:
            answer = json.loads(text)
        except ValueError:
            raise Failed(f"the worker answered: {text[:100]!r}") from None
        if "error" in answer:
            raise Failed(answer["error"])
        return answer

    def _read_line(self, command):
        end = time.monotonic() + self.timeout_s
        while b"\n" not in self.buffer:
            if not self.selector.select(max(0, end - time.monotonic())):
                self.process.kill()
                raise Failed(f"no answer to '{command}' after {self.timeout_s} s")
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            if not data:
                raise Failed(self._death())
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line

    def _death(self):
        status = self.process.wait()
        try:
            how = f"died of {signal.Signals(-status).name}" if status < 0 else f"exit {status}"
        except ValueError:
            how = f"died of signal {-status}"
        self.errors.seek(0, os.SEEK_END)
        self.errors.seek(max(0, self.errors.tell() - 4096))
        lines = self.errors.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f"{how}: {last[:200]}" if last else how

    def close(self):
        for stream in (self.process.stdin, self.process.stdout):
            try:
                stream.close()
            except OSError:  # unsent commands of one that died
                pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.selector.close()
        self.errors.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
