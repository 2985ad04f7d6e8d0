"""Accelerate's part: the device, and sums over processes."""

import os

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DataLoaderConfiguration

from modanet_utils.project import ProjectError
from modanet_utils.trials import TrialConfig


def accelerator_for(config: TrialConfig) -> Accelerator:
    AcceleratorState._reset_state()  # or a second trial in a kernel could not have another mixed_precision
    world = int(os.environ.get("WORLD_SIZE", 1))
    accelerator = Accelerator(
        mixed_precision=config.mixed_precision,
        # Accelerate joins torchrun's processes on a CPU only where it is told to use the CPU.
        cpu=world > 1 and not torch.accelerator.is_available(),
        dataloader_config=DataLoaderConfiguration(split_batches=True, non_blocking=True),
    )
    # A state has the network's own names, so that one process can go on where several stopped, and the other way round.
    accelerator.register_save_state_pre_hook(
        lambda nets, weights, _: weights.__setitem__(slice(None), map(accelerator.get_state_dict, nets))
    )
    accelerator.register_load_state_pre_hook(
        lambda nets, _: nets.__setitem__(slice(None), map(accelerator.unwrap_model, nets))
    )
    if accelerator.num_processes != world:
        joins = f"but {accelerator.device.type} can join only one: start one."
        raise ProjectError(f"{world} processes were started, {joins}")
    return accelerator


def sum_over_processes(counts: np.ndarray, accelerator: Accelerator) -> np.ndarray:
    if accelerator.num_processes == 1:
        return counts
    return accelerator.reduce(torch.from_numpy(counts).to(accelerator.device), "sum").cpu().numpy()
