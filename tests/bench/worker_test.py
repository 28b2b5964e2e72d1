"""The C worker (worker.c) with Picojoule behind it, as the measurer commands it."""
import os
import pathlib
import tempfile
import time
import unittest

from bench.peers import client

MODEL = pathlib.Path(__file__).parents[2] / "models/fashion/fashion.tflite"


class Worker(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.worker = client.Worker([os.environ["PJ_RUN"]])
        self.addCleanup(self.worker.close)

    def refused(self, line):
        with self.assertRaises(client.Failed) as caught:
            self.worker.ask(line)
        return str(caught.exception)

    def test_a_model_from_load_to_output(self):
        loaded = self.worker.ask(f"load 2 {MODEL}")
        (spec,) = loaded["inputs"]
        self.assertEqual(spec["shape"], [1, 28, 28, 1])
        self.assertGreater(loaded["load_ms"], 0)
        path = self.folder / "an input.bin"
        path.write_bytes(bytes(spec["bytes"]))
        self.worker.ask(f"input 0 {path}")
        times = self.worker.ask("run 0 7")
        self.assertEqual(times["n"], 7)
        self.assertLessEqual(times["min_ms"], times["median_ms"])
        (output,) = self.worker.ask(f"output {self.folder}/output_")["outputs"]
        self.assertEqual(output["bytes"], (self.folder / "output_0.bin").stat().st_size)
        self.assertGreater(self.worker.ask("memory")["peak_kb"], loaded["base_kb"])

    def test_runs_for_the_time_that_is_asked_for(self):
        self.worker.ask(f"load 1 {MODEL}")
        start = time.monotonic()
        self.worker.ask("run 30 1")
        self.assertGreaterEqual(time.monotonic() - start, 0.03)

    def test_sleeps_between_periodic_frames(self):
        self.worker.ask(f"load 1 {MODEL}")
        start = time.monotonic()
        frame = self.worker.ask("periodic 10 4")
        elapsed = time.monotonic() - start
        self.assertGreaterEqual(elapsed, 0.04)
        self.assertGreater(frame["cpu_ms"], 0)
        self.assertLess(frame["cpu_ms"], elapsed * 1e3 / 4)
        self.assertGreaterEqual(frame["switches"], 0)
        self.assertIn("MS N", self.refused("periodic 0 4"))

    def test_errors_are_answers_and_the_worker_goes_on(self):
        self.assertIn("unknown command", self.refused("dance"))
        self.assertIn("missing.tflite", self.refused("load 1 missing.tflite"))
        self.assertIn("THREADS", self.refused("load many x.tflite"))
        self.worker.ask(f"load 1 {MODEL}")
        self.assertIn("no such input", self.refused("input 9 x"))
        self.assertIn("cannot read", self.refused(f"input 0 {self.folder}/none"))
        long = self.folder / "long"
        long.write_bytes(bytes(100000))
        self.assertIn("takes", self.refused(f"input 0 {long}"))
        self.assertEqual(self.worker.ask("run 0 1")["n"], 1)


if __name__ == "__main__":
    unittest.main()
