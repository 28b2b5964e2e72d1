"""Writes pictures/: of each class the first test image that the model classifies right."""

import argparse
import pathlib
import struct
import zlib

import data
import evaluate

NAMES = [label.lower().split("/")[0].replace("-", "").replace(" ", "_") for label in data.LABELS]


def png(image):
    """An 8-bit grey PNG of a [height, width] uint8 image."""

    def chunk(kind, content):
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    height, width = image.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in image)  # filter 0 before each row
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=evaluate.MODEL)
    parser.add_argument("--data", default=data.FOLDER, help="folder of the four data files")
    folder = pathlib.Path(__file__).with_name("pictures")
    parser.add_argument("--output", type=pathlib.Path, default=folder)
    arguments = parser.parse_args()

    classify = evaluate.Classifier(arguments.model)
    images, labels = data.load("t10k", arguments.data)
    arguments.output.mkdir(exist_ok=True)
    for label, name in enumerate(NAMES):
        candidates = (i for i in range(len(labels)) if labels[i] == label)
        index = next(i for i in candidates if classify(images[i]).argmax() == label)
        path = arguments.output / f"{label:02}_{name}.png"
        path.write_bytes(png(images[index]))
        print(f"{path.name}: test image {index}")


if __name__ == "__main__":
    main()
