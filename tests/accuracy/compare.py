"""Top-1 decisions of pj and of LiteRT on the zoo's labelled data, from the same input tensors.

Usage: compare.py PJ ZOO [--every K]. Exits with 1 if a decision differs although LiteRT's two best
outputs are more than 2 units apart, or if an accuracy is not the expected one.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

TIE = 2  # units between LiteRT's two best outputs below which either decision is right


def keyword_spotting(zoo):
    folder = zoo / "data/kws01"
    return np.load(folder / "mfcc_int8.npy"), np.load(folder / "labels.npy")


def cifar(zoo):
    folder = zoo / "data/cifar10"
    return np.load(folder / "images_uint8.npy"), np.load(folder / "labels.npy")


def center_crop(picture, size, fraction):
    width, height = picture.size
    side = fraction * min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    return picture.convert("RGB").resize((size, size), Image.BILINEAR, box=box)


def imagenet(zoo):
    folder = zoo / "data/imagenet250"
    images, labels = [], []
    for line in (folder / "labels.csv").read_text().splitlines()[1:]:
        name, label = line.split(",")[:2]
        images.append(np.asarray(center_crop(Image.open(folder / name), 224, 0.875)))
        labels.append(int(label))
    # The models count a background class first.
    return np.stack(images), np.array(labels) + 1


def litert_outputs(model, images):
    """The output tensor of each image, as stored, and the inputs it was given."""
    interpreter = Interpreter(str(model))
    interpreter.allocate_tensors()
    given, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    outputs = []
    for image in images:
        if given["dtype"] == np.int8 and image.dtype == np.uint8:
            image = (image.astype(np.int16) - 128).astype(np.int8)
        interpreter.set_tensor(given["index"], image.reshape(given["shape"]))
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(result["index"]).reshape(-1).astype(np.int32))
    return np.stack(outputs)


def pj_decisions(pj, model, images, labels):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        np.save(folder / "inputs.npy", images)
        np.save(folder / "labels.npy", labels.astype(np.int32))
        decisions = folder / "decisions.npy"
        command = [pj, "eval", str(model), "--data", str(folder), "--output", str(decisions)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return np.load(decisions)


# Data, and the accuracy that the model must reach: (at least, at most), in percent.
CASES = {
    "kws_dscnn_int8": (keyword_spotting, (90.0, 90.4)),
    "resnet8_int8": (cifar, (0, 100)),
    "mobilenet_v2_int8": (imagenet, (0, 100)),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pj")
    parser.add_argument("zoo", type=pathlib.Path)
    parser.add_argument("--every", type=int, default=1, help="use every K-th sample only")
    arguments = parser.parse_args()
    failed = False
    for name, (load, (low, high)) in CASES.items():
        model = arguments.zoo / f"models/{name}.tflite"
        images, labels = (a[:: arguments.every] for a in load(arguments.zoo))
        ours = pj_decisions(arguments.pj, model, images, labels)
        theirs = litert_outputs(model, images)
        accuracy = 100 * np.mean(ours == labels)
        reference = theirs.argmax(axis=1)
        best_two = np.sort(theirs, axis=1)[:, -2:]
        ties = best_two[:, 1] - best_two[:, 0] <= TIE
        wrong = (ours != reference) & ~ties
        whole = arguments.every == 1
        bad = wrong.any() or (whole and not low <= accuracy <= high)
        failed |= bad
        print(
            f"{name}: {len(labels)} samples, pj {accuracy:.1f} %, "
            f"LiteRT {100 * np.mean(reference == labels):.1f} %, "
            f"other decisions {np.sum(ours != reference)}, of these not ties {wrong.sum()}"
            f"{'  FAILED' if bad else ''}",
            flush=True,
        )
    sys.exit(failed)


if __name__ == "__main__":
    main()
