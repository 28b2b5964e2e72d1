"""The training loop shared by the float network and the quantisation-aware fine-tuning.

Two processes of one thread each take half of every batch and average their gradients: with layers
as small as these that needs a third less processor time than two threads inside each operator.
"""

import pathlib
import tempfile
import time

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F

WORKERS = 2
BATCH = 128  # of all workers together
LABEL_SMOOTHING = 0.05
SHIFT = 2  # pixels
ERASE_PROBABILITY = 0.2
ERASE_SIDES = (4, 11)  # half-open range of pixels


def to_real(images):
    """uint8 [n, 28, 28] to float [n, 1, 28, 28] in 0..1: the model's input scale is 1/255."""
    return images.float().div(255).unsqueeze(1)


def augment(images, rng):
    """Random mirror, shift and erased rectangle of a batch of uint8 images."""
    count, side = len(images), images.shape[1]
    mirrored = torch.from_numpy(rng.random(count) < 0.5)
    images = torch.where(mirrored[:, None, None], images.flip(2), images)
    padded = F.pad(images, (SHIFT,) * 4)
    offsets = torch.from_numpy(rng.integers(0, 2 * SHIFT + 1, (2, count, 1)))
    rows, columns = offsets + torch.arange(side)
    shifted = padded[torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]
    for i in np.flatnonzero(rng.random(count) < ERASE_PROBABILITY):
        height, width = rng.integers(*ERASE_SIDES, 2)
        top, left = rng.integers(0, side - height + 1), rng.integers(0, side - width + 1)
        shifted[i, top : top + height, left : left + width] = int(rng.integers(0, 256))
    return shifted


def average_gradients(parameters):
    flat = torch.cat([p.grad.flatten() for p in parameters])
    dist.all_reduce(flat)
    flat /= WORKERS
    for p, mean in zip(parameters, flat.split([p.numel() for p in parameters])):
        p.grad.copy_(mean.view_as(p))


def fit(forward, optimizer, schedule, images, labels, epochs, seed, validate):
    """Trains; `schedule(progress)` gives the learning rate, progress in 0..1.

    Every worker calls it with the same arguments and keeps the same parameters.
    """
    rank = dist.get_rank()
    order_rng, augment_rng = np.random.default_rng(seed), np.random.default_rng([seed, rank])
    images, labels = torch.from_numpy(images.copy()), torch.from_numpy(labels.astype(np.int64))
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    steps = len(images) // BATCH
    start = time.monotonic()
    for epoch in range(epochs):
        order = torch.from_numpy(order_rng.permutation(len(images)))
        total = 0.0
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = schedule((epoch + step / steps) / epochs)
            batch = order[step * BATCH : (step + 1) * BATCH][rank::WORKERS]
            x = to_real(augment(images[batch], augment_rng))
            output = forward(x.to(memory_format=torch.channels_last))
            loss = F.cross_entropy(output, labels[batch], label_smoothing=LABEL_SMOOTHING)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            average_gradients(parameters)
            optimizer.step()
            total += loss.item()
        if rank == 0:
            print(
                f"epoch {epoch + 1}/{epochs}  loss {total / steps:.4f}  "
                f"validation {validate():.2%}  {time.monotonic() - start:.0f} s",
                flush=True,
            )


def use_one_thread():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)


def worker(rank, function, arguments, path, meeting_point):
    use_one_thread()
    address = meeting_point.as_uri()
    dist.init_process_group("gloo", init_method=address, rank=rank, world_size=WORKERS)
    value = function(*arguments)
    if rank == 0:
        torch.save(value, path)
    dist.destroy_process_group()


def run_in_workers(function, arguments, path):
    """Calls function(*arguments) in all workers and saves what the first returns."""
    with tempfile.TemporaryDirectory() as folder:
        meeting_point = pathlib.Path(folder, "workers")
        torch.multiprocessing.spawn(
            worker, (function, arguments, path, meeting_point), nprocs=WORKERS
        )


@torch.no_grad()
def accuracy(forward, images, labels, batch=500):
    """Share of images whose largest output is the label's."""
    hits = 0
    for start in range(0, len(images), batch):
        x = to_real(torch.from_numpy(images[start : start + batch].copy()))
        predicted = forward(x).argmax(1).numpy()
        hits += int((predicted == labels[start : start + batch]).sum())
    return hits / len(images)
