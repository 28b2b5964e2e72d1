"""Boards to emulate, and tables from recorded counts of instructions."""
import pathlib
import tempfile
import unittest

from bench.arm import arm, boards, loops


class Boards(unittest.TestCase):
    def test_files_are_those_of_the_core(self):
        with tempfile.TemporaryDirectory() as folder:
            sysroot = pathlib.Path(folder) / "sysroot"
            (sysroot / "lib").mkdir(parents=True)
            root = pathlib.Path(folder) / "a53"
            boards.write("a53", root, sysroot)
            cpuinfo = (root / "proc/cpuinfo").read_text()
            self.assertEqual(cpuinfo.count("CPU part\t: 0xd03"), boards.CORES)
            self.assertEqual((root / "sys/devices/system/cpu/possible").read_text(), "0-3\n")
            self.assertEqual((root / "lib").resolve(), (sysroot / "lib").resolve())

    def test_only_dot_product_boards_say_so(self):
        said = {name for name, board in boards.BOARDS.items() if "asimddp" in board[2]}
        self.assertEqual(said, {"a55", "a76", "i8mm"})


class Counting(unittest.TestCase):
    def test_interface_of_qemu(self):
        self.assertEqual(arm.qemu_api("qemu-aarch64 version 7.2.22 (Debian 1:7.2)"), 1)
        self.assertEqual(arm.qemu_api("qemu-aarch64 version 10.0.2 (Debian 1:10.0.2)"), 2)

    def test_table_has_ratios_means_and_dashes(self):
        report = {"boards": {"a53": "A53", "a76": "A76"}, "models": [
            {"name": "m", "group": "int8", "failures": {},
             "counts": {"a53": {"pj": 1e6, "litert": 2e6}, "a76": {"pj": 3e6, "litert": 2e6}}},
            {"name": "n", "group": "int8", "failures": {"a76": {"litert": "why"}},
             "counts": {"a53": {"pj": 8e6, "litert": 1e6}, "a76": {"pj": 1e6}}}]}
        rows = [[c.strip() for c in line.strip("|").split("|")] for line in arm.table(report)]
        self.assertEqual(rows[0], ["pj / LiteRT, million instructions", "A53", "A76"])
        self.assertEqual(rows[2], ["m", "1.000 / 2.000 = 0.50", "3.000 / 2.000 = 1.50"])
        self.assertEqual(rows[3], ["n", "8.000 / 1.000 = 8.00", "1.000 / – = –"])
        self.assertEqual(rows[4], ["geometric mean, int8", "2.00", "1.50"])

    def test_a_program_that_fails_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            sysroot = pathlib.Path(folder) / "sysroot"
            sysroot.mkdir()
            emulator = arm.Emulator("a53", sysroot, "no.so", folder)
            with self.assertRaises(arm.Failed):
                emulator.per_inference(lambda runs: (["no/such/program"], ""))


class Loops(unittest.TestCase):
    CODE = """
0000000000000040 <outer(int)>:
      40:\tldr\tq0, [x0], #16
      44:\tsdot\tv1.4s, v0.16b, v2.4b[0]
      48:\tsubs\tx1, x1, #0x1
      4c:\tb.ne\t44 <outer(int)+0x4>  // b.any
      50:\tcbnz\tx2, 40 <outer(int)>
      54:\tret
0000000000000058 <other()>:
      58:\tb\t40 <outer(int)>
"""

    def test_the_innermost_is_found(self):
        known = loops.functions(self.CODE)
        self.assertEqual(list(known), ["outer(int)", "other()"])
        self.assertEqual(loops.inner_loops(known["outer(int)"]),
                         [["sdot\tv1.4s, v0.16b, v2.4b[0]", "subs\tx1, x1, #0x1", "b.ne\t#0"]])
        self.assertEqual(loops.hot_loop(known["other()"]), [])

    def test_multiply_accumulates(self):
        for text, count in (("sdot\tv1.4s, v0.16b, v2.4b[0]", 16),
                            ("smmla\tv1.4s, v0.16b, v2.16b", 32),
                            ("fmla\tv1.8h, v0.8h, v2.h[1]", 8),
                            ("smlal2\tv1.8h, v0.16b, v2.16b", 8),
                            ("sadalp\tv1.4s, v0.8h", 0), ("smull\tx0, w1, w2", 0)):
            self.assertEqual(loops.macs(text), count, text)


if __name__ == "__main__":
    unittest.main()
