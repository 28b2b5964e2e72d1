"""Reads Fashion-MNIST (Xiao, Rasul, Vollgraf 2017) from the four files of the data set.

The default folder is where Debian's package dataset-fashion-mnist puts them. The files have the IDX
format: a big-endian magic number (0, 0, type, rank), one 32-bit length a dimension, the bytes.
"""

import gzip
import pathlib

import numpy as np

FOLDER = pathlib.Path("/usr/share/datasets/fashion-mnist")
LABELS = pathlib.Path(__file__).with_name("labels.txt").read_text(encoding="utf-8").splitlines()


def read_idx(path):
    raw = gzip.decompress(path.read_bytes())
    zero, kind, rank = int.from_bytes(raw[:2], "big"), raw[2], raw[3]
    if zero != 0 or kind != 8:
        raise ValueError(f"{path}: not an IDX file of unsigned bytes; reinstall the data set")
    shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank)]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def load(split, folder=FOLDER):
    """Images [n, 28, 28] and labels [n], uint8. `split` is "train" or, for the test set, "t10k"."""
    folder = pathlib.Path(folder)
    images = read_idx(folder / f"{split}-images-idx3-ubyte.gz")
    return images, read_idx(folder / f"{split}-labels-idx1-ubyte.gz")
