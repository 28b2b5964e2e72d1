"""Runs fashion.tflite with LiteRT (package ai-edge-litert) on the 10,000 test images."""

import argparse
import pathlib

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

import data

MODEL = pathlib.Path(__file__).with_name("fashion.tflite")
KERNELS = {
    "default": OpResolverType.AUTO,  # XNNPACK on a CPU
    "builtin": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    "reference": OpResolverType.BUILTIN_REF,
}


class Classifier:
    def __init__(self, model=MODEL, kernels="default"):
        self.interpreter = Interpreter(
            str(model), num_threads=1, experimental_op_resolver_type=KERNELS[kernels]
        )
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]["index"]
        self.output = self.interpreter.get_output_details()[0]["index"]

    def __call__(self, image):
        """The ten int8 outputs for one uint8 image: the input's zero point is -128."""
        pixels = (image.astype(np.int16) - 128).astype(np.int8)
        self.interpreter.set_tensor(self.input, pixels.reshape(1, *image.shape, 1))
        self.interpreter.invoke()
        return self.interpreter.get_tensor(self.output)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--data", default=data.FOLDER, help="folder of the four data files")
    parser.add_argument("--kernels", choices=KERNELS, default="default")
    parser.add_argument("--outputs", help="write the int8 outputs [n, 10] to this .npy file")
    arguments = parser.parse_args()

    classify = Classifier(arguments.model, arguments.kernels)
    images, labels = data.load("t10k", arguments.data)
    outputs = np.stack([classify(image) for image in images])
    hits = int((outputs.argmax(1) == labels).sum())
    print(f"{hits} of {len(labels)} right: {hits / len(labels):.2%}")
    if arguments.outputs:
        np.save(arguments.outputs, outputs)


if __name__ == "__main__":
    main()
