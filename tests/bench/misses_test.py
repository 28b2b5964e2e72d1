"""Counts of an inference from recorded cachegrind summaries."""
import unittest

from bench.misses import cachegrind, misses

HEADER = "desc: D1 cache: 32768 B\ncmd: pj bench\n"
EVENTS = "events: Ir I1mr ILmr Dr D1mr DLmr Dw D1mw DLmw\n"
ONE = HEADER + EVENTS + "summary: 1000 1 1 300 20 6 100 9 3\n"
FOUR = HEADER + EVENTS + "summary: 2500 1 1 900 50 9 400 18 6\n"


class Misses(unittest.TestCase):
    def test_counts_are_differences_for_one_inference(self):
        counts = cachegrind.difference(cachegrind.parse(ONE), cachegrind.parse(FOUR))
        self.assertEqual(counts, {"instructions": 500, "references": 300, "d1": 13, "ll": 2})

    def test_instructions_alone(self):
        few, many = {"Ir": 1000}, {"Ir": 1300}
        self.assertEqual(cachegrind.difference(few, many), {"instructions": 100})

    def test_a_file_without_summary_is_refused(self):
        with self.assertRaises(cachegrind.Failed):
            cachegrind.parse(HEADER)

    def test_a_program_that_is_not_there_is_a_failure(self):
        program = cachegrind.Program(lambda runs: ["no/such/program"])
        with self.assertRaises(cachegrind.Failed):
            cachegrind.count(program, "none")

    def test_table_has_ratios_and_dashes(self):
        counts = {"m": {"pj": {"instructions": 1e6, "d1": 2e6}, "litert": {"instructions": 2e6,
                                                                          "d1": 1e6}},
                  "n": {"pj": {"instructions": 1e6, "d1": 1e6}, "litert": {"failed": "why"}}}
        rows = [[c.strip() for c in line.strip("|").split("|")]
                for line in misses.cache_table(counts)]
        self.assertEqual(rows[0], ["pj / LiteRT, million", "instructions", "D1 misses"])
        self.assertEqual(rows[2], ["m", "1.000 / 2.000 = 0.50", "2.000 / 1.000 = 2.00"])
        self.assertEqual(rows[3], ["n", "1.000 / – = –", "1.000 / – = –"])
        self.assertEqual(rows[4], ["geometric mean", "0.50", "2.00"])

    def test_model_is_compared_where_there_are_enough_lines(self):
        counts = {"m": {"pj": {"d1": 40000, "ll": 100}, "model": {"d1": 44000, "ll": 150}},
                  "n": {"pj": {"failed": "why"}, "model": {"d1": 1, "ll": 1}}}
        rows = [[c.strip() for c in line.strip("|").split("|")]
                for line in misses.model_table(counts)]
        self.assertEqual(rows[2], ["m", "44000 / 40000 = 1.100", "150 / 100 (few)"])
        self.assertEqual(rows[3], ["n", "–", "–"])


if __name__ == "__main__":
    unittest.main()
