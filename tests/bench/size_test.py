"""Sizes by part of the library, from a linker's map."""
import unittest

from bench.size import size

MAP = """Discarded input sections
 .text._ZN2pj4deadEv
                0x0000000000000000    0x99999 libpj_base.a(file.cc.o)
Linker script and memory map
 .text          0x0000000000007000     0x1000 libpj_kernels.a(avx2.cc.o)
 .rodata        0x0000000000009000       0x10 libpj_kernels.a(avx2.cc.o)
 .text._ZN2pj4longEv
                0x0000000000008000      0x200 libpj_kernels.a(registry.cc.o)
 .text          0x0000000000010000      0x300 libpj_kernels.a(avx512.cc.o)
 .rodata        0x0000000000020000     0x4000 libpj_models.a(fashion_tflite.S.o)
 .comment       0x0000000000000000     0x9000 libpj_base.a(file.cc.o)
 .text          0x0000000000030000       0x40 CMakeFiles/picojoule.dir/bindings/c/model.cc.o
"""


class Size(unittest.TestCase):
    def test_parts_are_what_the_linker_kept(self):
        parts = size.table(size.parse(MAP))
        self.assertEqual(parts, {"kernels": {"avx2": 0x1010, "avx512": 0x300},
                                 "catalog": {"": 0x200}, "default model": {"": 0x4000},
                                 "C API": {"": 0x40}})

    def test_limits_name_what_is_too_large(self):
        limit = size.LIMITS["kernels"]
        parts = size.table({"libpj_kernels.a(avx2.cc.o)": limit,
                            "libpj_kernels.a(avx512.cc.o)": limit})
        self.assertEqual(size.check(size.LIMITS["library"], parts), [])
        parts["kernels"]["elements"] = 1
        self.assertRegex(size.check(size.LIMITS["library"], parts)[0], "^kernels: 500,001 bytes")
        self.assertEqual(len(size.check(size.LIMITS["library"] + 1, parts)), 2)


if __name__ == "__main__":
    unittest.main()
