"""A worker for tests: doubles its one input of four bytes. Its argument says how it misbehaves."""
import json
import os
import signal
import sys
import time

MISBEHAVIOUR = sys.argv[1] if len(sys.argv) > 1 else ""
SPEC = {"dtype": "uint8", "shape": [1, 4], "bytes": 4}
values = bytes(4)


def answer(command, rest):
    global values
    if MISBEHAVIOUR == f"die at {command}":
        print("about to fall", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
    if MISBEHAVIOUR == f"hang at {command}":
        time.sleep(60)
    if MISBEHAVIOUR == f"fail at {command}":
        return {"error": "no such operator"}
    if MISBEHAVIOUR == f"babble at {command}":
        return "hello"
    if command == "load":
        return {"version": "1.2", "load_ms": 3.0, "base_kb": 1000, "inputs": [SPEC]}
    if command == "input":
        with open(rest.split(" ", 1)[1], "rb") as file:
            values = file.read()
        return {}
    if command == "run":
        return {"n": 5, "min_ms": 1.0, "median_ms": 1.5, "first_ms": 2.0}
    if command == "output":
        off = 100 if MISBEHAVIOUR == "wrong" else 0
        with open(rest + "0.bin", "wb") as file:
            file.write(bytes((2 * v + off) % 256 for v in values))
        return {"outputs": [SPEC]}
    return {"peak_kb": 3000}


for line in sys.stdin:
    command, _, rest = line.rstrip("\n").partition(" ")
    reply = answer(command, rest)
    print(reply if isinstance(reply, str) else json.dumps(reply), flush=True)
