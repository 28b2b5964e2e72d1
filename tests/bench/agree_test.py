"""When outputs of two runtimes agree."""
import array
import math
import unittest

from bench.peers import agree


def ints(*values, name=None):
    return agree.Values("uint8", array.array("B", values), name)


def floats(*values):
    return agree.Values("float32", array.array("f", values))


class Agree(unittest.TestCase):
    def grade(self, output, golden, group="int8"):
        return agree.compare([output], [golden], group).grade

    def test_integers_may_differ_by_one_unit(self):
        self.assertEqual(self.grade(ints(10, 21), ints(10, 20)), "agrees")
        self.assertEqual(self.grade(ints(10, 22), ints(10, 20)), "close")
        self.assertEqual(self.grade(ints(10, 40), ints(10, 20)), "wrong")

    def test_floats_by_a_part_of_the_range(self):
        golden = floats(-100, 100)
        self.assertEqual(self.grade(floats(-100, 100.01), golden, "f32"), "agrees")
        self.assertEqual(self.grade(floats(-100, 101), golden, "f32"), "close")
        self.assertEqual(self.grade(floats(-100, 101), golden, "f16w"), "agrees")
        self.assertEqual(self.grade(floats(-100, 150), golden, "f16w"), "wrong")

    def test_a_single_float_is_compared_with_itself(self):
        self.assertEqual(self.grade(floats(5), floats(5), "f32"), "agrees")
        self.assertEqual(self.grade(floats(7), floats(5), "f32"), "wrong")

    def test_what_is_not_a_number_is_wrong(self):
        self.assertEqual(self.grade(floats(0, math.nan), floats(0, 1), "f16w"), "wrong")

    def test_other_sizes_types_and_counts_are_wrong(self):
        self.assertEqual(self.grade(ints(1), ints(1, 2)), "wrong")
        self.assertEqual(self.grade(floats(1), ints(1)), "wrong")
        self.assertEqual(agree.compare([], [ints(1)], "int8").grade, "wrong")

    def test_the_worst_output_counts(self):
        verdict = agree.compare([ints(1), ints(90)], [ints(1), ints(9)], "int8")
        self.assertEqual((verdict.grade, verdict.text), ("wrong", "81 units"))

    def test_outputs_with_the_names_of_the_golden_ones_may_come_in_any_order(self):
        outputs = [ints(90, name="b"), ints(1, name="a")]
        golden = [ints(1, name="a"), ints(90, name="b")]
        self.assertEqual(agree.compare(outputs, golden, "int8").grade, "agrees")

    def test_detections_need_the_same_decisions(self):
        def detections(score=0.5, kind=3):
            return [floats(0.1, 0.2, 0.3, 0.4), floats(kind), floats(score), floats(1)]

        def grade(outputs):
            return agree.compare(outputs, detections(), "uint8", detects=True).grade

        self.assertEqual(grade(detections(0.505)), "agrees")
        self.assertEqual(grade(detections(0.53)), "close")
        self.assertEqual(grade(detections(kind=4)), "wrong")


if __name__ == "__main__":
    unittest.main()
