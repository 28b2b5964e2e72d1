"""Trains the Fashion-MNIST classifier, quantises it to int8 and writes fashion.tflite.

Run it with `--help` for the options and see README.md for the packages. Each stage leaves its
parameters in the work folder, and a stage whose file is there already is not run again.
"""

import argparse
import math
import pathlib
import time

import torch

import data
import network
import quantize
import tflite_writer
import training

SEED = 1
VALIDATION = 5000  # the last training images decide about the quantisation; the test set never does
FLOAT_EPOCHS = 14
FLOAT_PEAK_RATE = 0.15
WARM_UP = 0.1  # share of the steps
WEIGHT_DECAY = 3e-4
CALIBRATION = 2000  # training images
TOLERATED_LOSS = 0.003  # of accuracy, by post-training quantisation; more asks for fine-tuning
TUNING_EPOCHS = 3
TUNING_RATE = 1e-4
DESCRIPTION = "Fashion-MNIST classifier, int8"


def warm_cosine(progress):
    if progress < WARM_UP:
        return FLOAT_PEAK_RATE * progress / WARM_UP
    return FLOAT_PEAK_RATE * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP))) / 2


def load_sets(folder):
    """(images, labels) to train on, and to validate with."""
    images, labels = data.load("train", folder)
    cut = len(images) - VALIDATION
    return (images[:cut], labels[:cut]), (images[cut:], labels[cut:])


def train_float(folder):
    """Name -> (weight, bias) of the trained network, batch normalisation folded.

    Each worker normalises by the statistics of its own half of the batch; the first one's running
    statistics are folded.
    """
    layers, (train_set, validation_set) = network.topology(), load_sets(folder)
    torch.manual_seed(SEED)
    model = network.TrainingNetwork(layers).to(memory_format=torch.channels_last)
    decayed = list(model.weights.parameters())
    others = [*model.norms.parameters(), model.bias]
    groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": others}]
    optimizer = torch.optim.SGD(groups, lr=FLOAT_PEAK_RATE, momentum=0.9, nesterov=True)

    def validate():
        model.eval()
        result = training.accuracy(model, *validation_set)
        model.train()
        return result

    training.fit(model, optimizer, warm_cosine, *train_set, FLOAT_EPOCHS, SEED, validate)
    return model.fold()


def tune_quantized(folder, folded, grids):
    """The folded parameters, fine-tuned under the rounding of the int8 network."""
    layers, (train_set, validation_set) = network.topology(), load_sets(folder)
    pairs = {name: [torch.nn.Parameter(p) for p in pair] for name, pair in folded.items()}
    optimizer = torch.optim.Adam([p for pair in pairs.values() for p in pair], lr=TUNING_RATE)
    forward = quantize.fake_quantized(layers, pairs, grids)
    cosine = lambda progress: TUNING_RATE * (1 + math.cos(math.pi * progress)) / 2
    validate = lambda: training.accuracy(forward, *validation_set)
    training.fit(forward, optimizer, cosine, *train_set, TUNING_EPOCHS, SEED + 1, validate)
    return {name: tuple(p.detach() for p in pair) for name, pair in pairs.items()}


def stage(path, function, *arguments):
    """The value saved at `path`; where there is none, trained with the function and saved."""
    if path.exists():
        print(f"using {path}")
    else:
        start = time.monotonic()
        training.run_in_workers(function, arguments, path)
        print(f"{path.name}: {time.monotonic() - start:.0f} s")
    return torch.load(path)


def float_forward(layers, folded):
    compute = lambda layer, args: network.compute_float(layer, args, folded)
    return lambda image: network.run(layers, image, compute)


def integer_forward(model):
    return lambda image: quantize.simulate(model, image)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=data.FOLDER, help="folder of the four data files")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="folder for checkpoints")
    default = pathlib.Path(__file__).with_name("fashion.tflite")
    parser.add_argument("--output", type=pathlib.Path, default=default)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    arguments.work.mkdir(parents=True, exist_ok=True)
    training.use_one_thread()

    train_set, validation_set = load_sets(arguments.data)
    layers = network.topology()
    macs = sum(layer.macs for layer in layers)
    print(f"{sum(layer.parameters for layer in layers)} parameters, {macs / 1e6:.2f} million MACs")

    folded = stage(arguments.work / "float.pt", train_float, arguments.data)
    float_accuracy = training.accuracy(float_forward(layers, folded), *validation_set)
    calibration = training.to_real(torch.from_numpy(train_set[0][:CALIBRATION].copy()))
    grids = quantize.calibrate(layers, folded, calibration)
    model = quantize.quantize(layers, folded, grids)
    accuracy = training.accuracy(integer_forward(model), *validation_set)
    print(f"validation: float {float_accuracy:.2%}, post-training int8 {accuracy:.2%}")
    if float_accuracy - accuracy > TOLERATED_LOSS:
        tuned_path = arguments.work / "tuned.pt"
        tuned = stage(tuned_path, tune_quantized, arguments.data, folded, grids)
        model = quantize.quantize(layers, tuned, grids)
        accuracy = training.accuracy(integer_forward(model), *validation_set)
        print(f"validation: tuned int8 {accuracy:.2%}")

    arguments.output.write_bytes(tflite_writer.serialize(model, DESCRIPTION))
    test_set = data.load("t10k", arguments.data)
    for kind, forward in ("float", float_forward(layers, folded)), ("int8", integer_forward(model)):
        print(f"test: {kind} {training.accuracy(forward, *test_set):.2%}")


if __name__ == "__main__":
    main()
