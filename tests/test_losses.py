"""Losses against hand-computed values, independent definitions, and the properties that they must have."""

import math
from fractions import Fraction

import pytest
import segmentation_models_pytorch as smp
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from modanet_utils import losses
from modanet_utils.losses import (
    LOVASZ_BINS,
    CombinedLoss,
    CrossEntropyLoss,
    DiceLoss,
    FocalLoss,
    LovaszSoftmaxLoss,
    WithAbsent,
)

CLASSES = 5
WEIGHTS = torch.tensor([0.5, 1.0, 2.0, 0.25, 4.0])
LOSSES = {
    "cross_entropy": CrossEntropyLoss(),
    "weighted_cross_entropy": CrossEntropyLoss(WEIGHTS),
    "focal": FocalLoss(2.0, WEIGHTS),
    "focal_gamma_half": FocalLoss(0.5),
    "dice": DiceLoss(),
    "weighted_dice": DiceLoss(WEIGHTS),
    "lovasz": LovaszSoftmaxLoss(bins=LOVASZ_BINS),
    "lovasz_exact": LovaszSoftmaxLoss(),
    "combined": CombinedLoss(WEIGHTS),
    "combined_exact": CombinedLoss(WEIGHTS, gamma=1.0, dice=0.5, focal=2.0, lovasz=1.5, bins=None),
}


@pytest.fixture(params=LOSSES)
def loss(request: pytest.FixtureRequest) -> nn.Module:
    return LOSSES[request.param]


def example(
    seed: int = 0,
    shape: tuple[int, int, int] = (3, 7, 6),
    dtype: torch.dtype = torch.float64,
    spread: float = 2.0,
    absent: int | None = 3,
    ignored: float = 0.2,
) -> tuple[Tensor, Tensor]:
    """Random logits (N, C, H, W) that require a gradient; target with ignored pixels and an absent class."""
    generator = torch.Generator().manual_seed(seed)
    images, height, width = shape
    logits = spread * torch.randn((images, CLASSES, height, width), generator=generator, dtype=dtype)
    target = torch.randint(CLASSES, shape, generator=generator)
    if absent is not None:
        target[target == absent] = (absent + 1) % CLASSES
    target[torch.rand(shape, generator=generator) < ignored] = 255
    return logits.requires_grad_(), target


def gradient(value: Tensor, logits: Tensor) -> Tensor:
    return torch.autograd.grad(value, logits)[0]


def assert_same(loss: nn.Module, a: tuple[Tensor, Tensor], b: tuple[Tensor, Tensor]) -> None:
    torch.testing.assert_close(loss(*a), loss(*b))


# --- hand-computed cases ---------------------------------------------------------------------------------


def two_pixels() -> tuple[Tensor, Tensor]:
    """Two pixels, two classes: p = (3/4, 1/4) where class 0 is true, p = (1/2, 1/2) where class 1 is."""
    logits = torch.tensor([[math.log(3.0), 0.0], [0.0, 0.0]], dtype=torch.float64)
    return logits.view(1, 2, 1, 2), torch.tensor([[[0, 1]]])


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (CrossEntropyLoss(), (math.log(4 / 3) + math.log(2)) / 2),
        (CrossEntropyLoss([1.0, 3.0]), (math.log(4 / 3) + 3 * math.log(2)) / 4),
        (FocalLoss(gamma=2.0), (math.log(4 / 3) / 16 + math.log(2) / 4) / 2),
        (FocalLoss(gamma=1.0, alpha=[1.0, 3.0]), (math.log(4 / 3) / 4 + 3 * math.log(2) / 2) / 4),
        # dice_0 = 2 (3/4) / (5/4 + 1), dice_1 = 2 (1/2) / (3/4 + 1)
        (DiceLoss(), 1 - (2 / 3 + 4 / 7) / 2),
        (DiceLoss([1.0, 3.0]), 1 - (2 / 3 + 3 * 4 / 7) / 4),
        # Errors 1/4 and 1/2. Class 0: both above 1/4 -> J = 1, only the outside pixel above 1/2 -> J = 1/2.
        # Class 1: both -> J = 1, only its own pixel -> J = 1.
        (LovaszSoftmaxLoss(), (1 / 4 + 1 / 8 + 1 / 4 + 1 / 4) / 2),
        (LovaszSoftmaxLoss(bins=4), 7 / 16),
        (LovaszSoftmaxLoss(bins=1024), 7 / 16),
    ],
)
def test_hand_computed(loss: nn.Module, expected: float) -> None:
    assert loss(*two_pixels()).item() == pytest.approx(expected, abs=1e-12)


def test_hand_computed_gradients() -> None:
    logits, target = two_pixels()
    logits.requires_grad_()
    # Cross-entropy: (p - [t = c]) / 2 pixels.
    expected = torch.tensor([[-0.125, 0.25], [0.125, -0.25]], dtype=torch.float64).view(1, 2, 1, 2)
    torch.testing.assert_close(gradient(CrossEntropyLoss()(logits, target), logits), expected)
    # Lovász: dL/dp is (-1/2, +1/2) / 2 for class 0 and (0, -1) / 2 for class 1, each times p (1 - p) ...
    d = torch.tensor([[-0.25, 0.25], [0.0, -0.5]], dtype=torch.float64).view(1, 2, 1, 2)
    p = logits.detach().softmax(1)
    expected = p * (d - (p * d).sum(1, keepdim=True))
    for loss in (LovaszSoftmaxLoss(), LovaszSoftmaxLoss(bins=4)):
        torch.testing.assert_close(gradient(loss(logits, target), logits), expected)


# --- independent definitions -----------------------------------------------------------------------------


def jaccard_extension(errors: list[Fraction], inside: list[bool]) -> Fraction:
    """Lovász extension of the Jaccard loss as the integral over thresholds, in exact arithmetic."""
    value, low = Fraction(0), Fraction(0)
    for high in sorted(set(errors) | {Fraction(0)}):
        above = {i for i, error in enumerate(errors) if error > low}
        truth = {i for i, is_inside in enumerate(inside) if is_inside}
        value += (high - low) * Fraction(len(above), max(1, len(truth | above)))
        low = high
    return value


def brute_force_lovasz(logits: Tensor, target: Tensor, bins: int | None = None) -> float:
    """Mean of ``jaccard_extension`` over the present classes; errors rounded to 1 / bins if given."""
    p, values = logits.detach().softmax(1), []
    for c in sorted(set(target[target != 255].tolist())):
        inside = (target == c)[target != 255].tolist()
        probability = [Fraction(v) for v in p[:, c][target != 255].tolist()]
        if bins:
            probability = [Fraction(math.floor(v * bins + Fraction(1, 2)), bins) for v in probability]
        errors = [1 - v if is_inside else v for v, is_inside in zip(probability, inside, strict=True)]
        values.append(jaccard_extension(errors, inside))
    return float(sum(values) / len(values))


@pytest.mark.parametrize("seed", range(8))
def test_lovasz_is_the_brute_force_extension(seed: int) -> None:
    logits, target = example(seed, shape=(2, 3, 4))
    assert LovaszSoftmaxLoss()(logits, target).item() == pytest.approx(brute_force_lovasz(logits, target), abs=1e-12)
    for bins in (1, 4, 50):
        assert LovaszSoftmaxLoss(bins=bins)(logits, target).item() == pytest.approx(
            brute_force_lovasz(logits, target, bins), abs=1e-12
        )


@pytest.mark.parametrize("seed", range(3))
def test_lovasz_is_the_one_of_smp(seed: int) -> None:
    logits, target = example(seed, shape=(2, 24, 20), dtype=torch.float32)
    value = LovaszSoftmaxLoss()(logits, target)
    expected = smp.losses.LovaszLoss("multiclass", ignore_index=255)(logits, target)
    torch.testing.assert_close(value, expected)
    # float32: entries are about 1e-4, their rounding about 1e-9
    torch.testing.assert_close(gradient(value, logits), gradient(expected, logits), atol=1e-8, rtol=1e-4)


def plain_focal(logits: Tensor, target: Tensor, gamma: float, alpha: Tensor) -> Tensor:
    valid = target != 255
    alpha_t = alpha.to(logits.dtype)[target[valid]]
    log_p = logits.log_softmax(1).movedim(1, -1)[valid].gather(1, target[valid, None])[:, 0]
    return (alpha_t * (1 - log_p.exp()) ** gamma * -log_p).sum() / alpha_t.sum()


def plain_dice(logits: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    valid = target != 255
    p = logits.softmax(1).movedim(1, -1)[valid]
    y = F.one_hot(target[valid], CLASSES).to(p.dtype)
    dice = 2 * (p * y).sum(0) / (p.sum(0) + y.sum(0))
    w = weights.to(p.dtype) * (y.sum(0) > 0)
    return 1 - (w * dice).sum() / w.sum()


@pytest.mark.parametrize("seed", range(3))
def test_focal_and_dice_are_their_definitions(seed: int) -> None:
    logits, target = example(seed)
    for value, expected in [
        (FocalLoss(2.0, WEIGHTS)(logits, target), plain_focal(logits, target, 2.0, WEIGHTS)),
        (FocalLoss(0.5)(logits, target), plain_focal(logits, target, 0.5, torch.ones(CLASSES))),
        (DiceLoss(WEIGHTS)(logits, target), plain_dice(logits, target, WEIGHTS)),
        (DiceLoss()(logits, target), plain_dice(logits, target, torch.ones(CLASSES))),
    ]:
        torch.testing.assert_close(value, expected)
        torch.testing.assert_close(gradient(value, logits), gradient(expected, logits))


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_focal_at_gamma_0_is_cross_entropy(weights: Tensor | None) -> None:
    logits, target = example(spread=30.0)  # far apart: probabilities underflow, cross-entropy must not
    double = None if weights is None else weights.double()
    for loss in (FocalLoss(0.0, weights), CrossEntropyLoss(weights)):
        expected = F.cross_entropy(logits, target, double, ignore_index=255)
        value = loss(logits, target)
        torch.testing.assert_close(value, expected)
        torch.testing.assert_close(gradient(value, logits), gradient(expected, logits))


def test_combined_is_the_sum_of_its_terms() -> None:
    logits, target = example()
    parts = {
        "dice": (0.5, DiceLoss(WEIGHTS)),
        "focal": (2.0, FocalLoss(1.5, WEIGHTS)),
        "lovasz": (3.0, LovaszSoftmaxLoss(bins=LOVASZ_BINS)),
    }
    combined = CombinedLoss(WEIGHTS, gamma=1.5, **{name: coefficient for name, (coefficient, _) in parts.items()})
    value = combined(logits, target)
    expected = sum(coefficient * part(logits, target) for coefficient, part in parts.values())
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient(value, logits), gradient(expected, logits))
    assert set(combined.last_terms) == set(parts)
    for name, (_, part) in parts.items():
        assert not combined.last_terms[name].requires_grad
        torch.testing.assert_close(combined.last_terms[name], part(logits, target).detach())


@pytest.mark.parametrize(("name", "function"), [("dice", "_dice"), ("focal", "_focal"), ("lovasz", "_lovasz")])
def test_a_term_with_coefficient_0_is_not_computed(name: str, function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    logits, target = example()
    loss = CombinedLoss(WEIGHTS, **{name: 0.0})
    expected = CombinedLoss(WEIGHTS)
    total = expected(logits, target).detach() - expected.last_terms[name]
    monkeypatch.delattr(losses, function)
    torch.testing.assert_close(loss(logits, target).detach(), total)
    assert name not in loss.last_terms and len(loss.last_terms) == 2


# --- the bound of the binned Lovász term -----------------------------------------------------------------


@pytest.mark.parametrize("bins", [1, 8, 64, 1024])
@pytest.mark.parametrize("spread", [0.1, 2.0, 20.0])
def test_binned_lovasz_is_off_by_at_most_half_a_bin(bins: int, spread: float) -> None:
    logits, target = example(shape=(2, 40, 30), spread=spread)
    exact = LovaszSoftmaxLoss()(logits, target)
    binned = LovaszSoftmaxLoss(bins=bins)(logits, target)
    assert abs(exact - binned).item() <= 1 / (2 * bins) + 1e-12


def error_gradient(logits: Tensor, target: Tensor, bins: int | None) -> tuple[Tensor, Tensor]:
    """Errors and the loss's derivative in them, both (C, valid pixels)."""
    batch = losses._batch(logits.detach(), target)
    _, every, extra = losses._lovasz(batch, bins)
    if bins is not None:
        every = every.expand(len(logits), -1, -1).gather(2, losses._keys(batch.p, bins).flatten(2))
    valid = target != 255
    inside = F.one_hot(target[valid], CLASSES).T
    in_p = every.view_as(logits).movedim(1, -1)[valid].T + inside * extra[valid]
    p = batch.p.movedim(1, -1)[valid].T
    return torch.where(inside == 1, 1 - p, p), torch.where(inside == 1, -in_p, in_p)


@pytest.mark.parametrize("bins", [1, 8, 64, 1024])
def test_binned_lovasz_gradient_is_a_subgradient_within_one_bin(bins: int) -> None:
    logits, target = example(shape=(2, 20, 15))
    inside = F.one_hot(target[target != 255], CLASSES).T == 1
    present = inside.any(1)
    errors, g = error_gradient(logits, target, bins)
    assert (g >= 0).all()
    torch.testing.assert_close(g.sum(1), present / present.sum().double())  # J(everything) = 1, shared out
    assert (g[~present] == 0).all()

    def extension(e: Tensor) -> float:
        values = []
        for c in present.nonzero()[:, 0]:
            order = e[c].argsort(descending=True)
            found, missed = inside[c][order].cumsum(0), (~inside[c][order]).cumsum(0)
            total = inside[c].sum()
            jaccard = (found + missed) / (total + missed)
            values.append((e[c][order] * jaccard.diff(prepend=torch.zeros(1))).sum())
        return (sum(values) / len(values)).item()

    generator = torch.Generator().manual_seed(0)
    here = extension(errors)
    for size in (1e-3, 1e-2, 0.1, 1.0):
        other = errors.lerp(torch.rand(errors.shape, generator=generator, dtype=errors.dtype), size)
        assert extension(other) >= here + (g * (other - errors)).sum().item() - 1 / bins - 1e-12


@pytest.mark.parametrize("bins", [1, 8, 64, 1024])
def test_binned_lovasz_gradient_lies_between_the_ends_of_its_bin(bins: int) -> None:
    logits, target = example(shape=(2, 10, 8))
    inside = F.one_hot(target[target != 255], CLASSES).T == 1
    errors, g = error_gradient(logits, target, bins)
    g_exact = error_gradient(logits, target, None)[1]
    present = inside.any(1)
    for c in present.nonzero()[:, 0]:
        total = inside[c].sum().item()
        p = torch.where(inside[c], 1 - errors[c], errors[c])
        key = losses._keys(p, bins)
        key = torch.where(inside[c], bins - key, key)
        for k in key.unique():
            found_0, found_1 = (inside[c] & (key > k)).sum().item(), (inside[c] & (key >= k)).sum().item()
            union_0 = total + (~inside[c] & (key > k)).sum().item()
            union_1 = total + (~inside[c] & (key >= k)).sum().item()
            here, share = key == k, 1 / present.sum().item()
            for values in (g[c], g_exact[c]):  # the sorted version keeps to the same interval
                own = values[here & inside[c]] / share
                assert ((own >= 1 / union_1 - 1e-12) & (own <= 1 / union_0 + 1e-12)).all()
                rest = values[here & ~inside[c]] / share
                if len(rest):
                    low = (total - found_1) / (union_1 * (union_1 - 1)) if union_1 > 1 else 0.0
                    high = (total - found_0) / (union_0 * (union_0 + 1))
                    assert ((rest >= low - 1e-12) & (rest <= high + 1e-12)).all()


def test_binned_lovasz_gradient_tends_to_the_exact_one() -> None:
    logits, target = example(shape=(2, 8, 6))
    exact = gradient(LovaszSoftmaxLoss()(logits, target), logits)
    errors = []
    for bins in (16, 128, 1024, 2**18):
        binned = gradient(LovaszSoftmaxLoss(bins=bins)(logits, target), logits)
        errors.append(((binned - exact).norm() / exact.norm()).item())
    assert errors[0] > errors[1] > errors[2] > errors[3]
    assert errors[2] < 0.05
    assert errors[3] < 1e-9  # one pixel a bin


# --- classes where they are absent -----------------------------------------------------------------------


def test_an_absent_class_costs_the_logarithm_of_its_area() -> None:
    logits = torch.zeros((2, CLASSES, 2, 2), dtype=torch.float64)  # every class has a fifth of every pixel
    target = torch.tensor([[[0, 1], [2, 255]], [[0, 1], [2, 3]]])  # absent: 3 and 4, and of the other photo 4
    loss = WithAbsent(CrossEntropyLoss(), 0.5, seen=0.05)
    assert loss(logits, target).item() == pytest.approx(math.log(5) + 0.5 * math.log(1 + 0.2 / 0.05))
    assert set(loss.last_terms) == {"cross_entropy", "absent"}
    all_there = torch.arange(CLASSES).view(1, CLASSES, 1)
    assert loss(torch.zeros(1, CLASSES, CLASSES, 1), all_there).item() == pytest.approx(math.log(5))
    assert loss(logits, torch.full_like(target, 255)).item() == 0


def test_the_term_on_absent_classes_has_the_right_gradient() -> None:
    logits, target = example(1, shape=(2, 3, 2))
    assert torch.autograd.gradcheck(lambda x: WithAbsent(CrossEntropyLoss(), 0.5, 0.05)(x, target), (logits,))
    before = logits.detach().clone()
    gradient(WithAbsent(CrossEntropyLoss(), 0.5, 0.05)(logits, target), logits)
    assert torch.equal(logits, before)


# --- properties of every loss ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in LOSSES if name not in ("lovasz", "combined")])
def test_gradient_check(name: str) -> None:
    logits, target = example(1, shape=(2, 3, 2))
    assert torch.autograd.gradcheck(lambda x: LOSSES[name](x, target), (logits,))


def test_gradient_scales_and_can_be_taken_twice(loss: nn.Module) -> None:
    logits, target = example()
    value = loss(logits, target)
    once = torch.autograd.grad(value, logits, retain_graph=True)[0]
    torch.testing.assert_close(gradient(-3 * value, logits), -3 * once)


def test_adding_to_all_logits_of_a_pixel_changes_nothing(loss: nn.Module) -> None:
    logits, target = example()
    shift = torch.linspace(-3, 3, target.numel(), dtype=logits.dtype).view_as(target)[:, None]
    assert_same(loss, (logits, target), (logits + shift, target))
    # ... so the gradient sums to 0 over the classes
    grad = gradient(loss(logits, target), logits)
    torch.testing.assert_close(grad.sum(1), torch.zeros_like(grad[:, 0]))


@pytest.mark.parametrize(
    "make",
    [CrossEntropyLoss, lambda w: FocalLoss(2.0, w), DiceLoss, CombinedLoss, lambda w: LovaszSoftmaxLoss()],
    ids=["cross_entropy", "focal", "dice", "combined", "lovasz"],
)
def test_renaming_classes_changes_nothing(make) -> None:
    logits, target = example()
    new_name = torch.tensor([3, 0, 4, 2, 1])
    renamed = torch.where(target == 255, 255, new_name[target.clamp_max(CLASSES - 1)])
    permuted = torch.empty_like(logits).index_copy(1, new_name, logits.detach())
    weights = torch.empty_like(WEIGHTS).index_copy(0, new_name, WEIGHTS)
    torch.testing.assert_close(make(WEIGHTS)(logits, target).detach(), make(weights)(permuted, renamed))


def test_ignored_pixels_change_nothing(loss: nn.Module) -> None:
    logits, target = example()
    ignored = (target == 255)[:, None]
    assert ignored.any()
    other = torch.where(ignored, logits + 7 * torch.arange(CLASSES).view(-1, 1, 1), logits)
    assert_same(loss, (logits, target), (other, target))
    without = logits.movedim(1, -1)[target != 255].T[None, :, None], target[target != 255][None, None]
    assert_same(loss, (logits, target), without)
    grad = gradient(loss(logits, target), logits)
    assert (grad.masked_select(ignored) == 0).all() and grad.any()


def test_everything_ignored_is_0_with_zero_gradient(loss: nn.Module) -> None:
    logits, target = example()
    value = loss(logits, torch.full_like(target, 255))
    assert value.item() == 0
    assert (gradient(value, logits) == 0).all()
    assert all(term.item() == 0 for term in loss.last_terms.values())


@pytest.mark.parametrize("make", [CrossEntropyLoss, lambda w: FocalLoss(2.0, w), DiceLoss, CombinedLoss])
def test_only_classes_of_weight_0_is_0_with_zero_gradient(make) -> None:
    logits, target = example(absent=3, ignored=0.0)
    loss = make([0.0, 0.0, 0.0, 1.0, 0.0])
    value = loss(logits, target)
    assert sum(term.item() for name, term in loss.last_terms.items() if name != "lovasz") == 0
    if not isinstance(loss, CombinedLoss):  # which has the unweighted Lovász term
        assert value.item() == 0 and (gradient(value, logits) == 0).all()


def test_an_absent_class_counts_only_through_its_probability(loss: nn.Module) -> None:
    logits, target = example(absent=3)
    unlikely = logits.detach().clone()
    unlikely[:, 3] = -1e4
    keep = [0, 1, 2, 4]
    renamed = torch.where(target == 4, 3, target)
    kwargs = {} if loss.weights is None else {loss.weights_name: loss.weights[keep]}
    if isinstance(loss, FocalLoss | CombinedLoss):
        kwargs["gamma"] = loss.gamma
    if isinstance(loss, CombinedLoss):
        kwargs |= loss.coefficients
    if isinstance(loss, LovaszSoftmaxLoss | CombinedLoss):
        kwargs["bins"] = loss.bins
    smaller = type(loss)(**kwargs)
    torch.testing.assert_close(loss(unlikely, target), smaller(unlikely[:, keep], renamed))


def test_weight_of_an_absent_class_changes_nothing() -> None:
    logits, target = example(absent=3)
    heavy = WEIGHTS.clone()
    heavy[3] = 1e3
    for make in (CrossEntropyLoss, lambda w: FocalLoss(2.0, w), DiceLoss, CombinedLoss):
        torch.testing.assert_close(make(heavy)(logits, target), make(WEIGHTS)(logits, target))


def test_the_batch_is_pooled(loss: nn.Module) -> None:
    logits, target = example()
    stacked = torch.cat(list(logits), dim=1)[None], torch.cat(list(target))[None]
    assert_same(loss, (logits, target), stacked)


def test_batch_of_one_pixel(loss: nn.Module) -> None:
    logits = torch.zeros(1, CLASSES, 1, 1, requires_grad=True)
    value = loss(logits, torch.full((1, 1, 1), 2))
    assert value.item() > 0
    grad = gradient(value, logits).flatten()
    assert grad.isfinite().all() and grad[2] < 0 and (grad[[0, 1, 3, 4]] > 0).all()


def test_a_perfect_prediction_is_0_with_zero_gradient(loss: nn.Module) -> None:
    _, target = example()
    logits = torch.zeros((3, CLASSES, 7, 6)).scatter_(1, target.clamp_max(CLASSES - 1)[:, None], 200.0)
    logits.requires_grad_()
    value = loss(logits, target)
    assert value.item() == pytest.approx(0, abs=1e-6)
    assert gradient(value, logits).abs().max() < 1e-6


def test_descending_the_gradient_learns_the_target(loss: nn.Module) -> None:
    _, target = example()
    logits = torch.zeros((3, CLASSES, 7, 6), requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.5)
    for _ in range(60):
        optimizer.zero_grad()
        loss(logits, target).backward()
        optimizer.step()
    assert (logits.argmax(1) == target)[target != 255].all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(loss: nn.Module, dtype: torch.dtype) -> None:
    logits, target = example(dtype=torch.float32, spread=20.0)
    half = logits.detach().to(dtype).requires_grad_()
    single = half.detach().float().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss(half, target)
        grad = gradient(value, half)
    expected = loss(single, target)
    assert value.dtype == torch.float32 and grad.dtype == dtype
    assert value.item() == expected.item()
    assert torch.equal(grad, gradient(expected, single).to(dtype))


def test_far_apart_logits_stay_finite(loss: nn.Module) -> None:
    logits, target = example(dtype=torch.float32, spread=1e4)
    value = loss(logits, target)
    assert value.isfinite() and gradient(value, logits).isfinite().all()


@pytest.mark.parametrize("gamma", [0.0, 0.1, 0.5, 1.0, 2.0])
def test_focal_gradient_is_finite_on_saturated_pixels(gamma: float) -> None:
    logits = torch.tensor([200.0, 0.0]).view(1, 2, 1, 1).requires_grad_()
    right, wrong = (FocalLoss(gamma)(logits, torch.full((1, 1, 1), c)) for c in (0, 1))
    assert (gradient(right, logits) == 0).all()
    # p_t underflows, the pull of the cross-entropy remains
    torch.testing.assert_close(gradient(wrong, logits).flatten(), torch.tensor([1.0, -1.0]))


def test_arguments_are_not_modified(loss: nn.Module) -> None:
    logits, target = example(dtype=torch.float32)
    logits_before, target_before = logits.detach().clone(), target.clone()
    loss(logits, target).backward()
    assert torch.equal(logits, logits_before) and torch.equal(target, target_before)


def test_memory_format_changes_nothing(loss: nn.Module) -> None:
    logits, target = example()
    last = logits.detach().contiguous(memory_format=torch.channels_last).requires_grad_()
    torch.testing.assert_close(loss(last, target), loss(logits, target))
    torch.testing.assert_close(gradient(loss(last, target), last), gradient(loss(logits, target), logits))


def test_last_terms_are_detached_and_named(loss: nn.Module) -> None:
    logits, target = example()
    value = loss(logits, target)
    assert all(term.ndim == 0 and not term.requires_grad for term in loss.last_terms.values())
    if not isinstance(loss, CombinedLoss):
        assert len(loss.last_terms) == 1
        torch.testing.assert_close(next(iter(loss.last_terms.values())), value.detach())


def test_a_megapixel_of_float32_sums_correctly() -> None:
    logits = torch.tensor([math.log(9.0), 0.0]).view(1, 2, 1, 1).expand(1, 2, 1024, 1024)
    target = torch.zeros((1, 1024, 1024), dtype=torch.int64)
    loss = CombinedLoss(gamma=0.0)
    loss(logits, target)
    assert loss.last_terms["dice"].item() == pytest.approx(1 - 1.8 / 1.9, abs=6e-5)  # 1024 * 2^-24: a row
    assert loss.last_terms["focal"].item() == pytest.approx(math.log(10 / 9), rel=1e-5)
    assert loss.last_terms["lovasz"].item() == pytest.approx(0.1, abs=1 / 2048)


def test_weights_follow_the_module_but_not_the_checkpoint() -> None:
    loss = CombinedLoss(WEIGHTS)
    assert [name for name, _ in loss.named_buffers()] == ["weights"] and not loss.state_dict()


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6)),
    spread=st.floats(0, 50),
    absent=st.one_of(st.none(), st.integers(0, CLASSES - 1)),
    ignored=st.floats(0, 1),
    bins=st.integers(1, 2000),
)
def test_ranges_and_bound(seed, shape, spread, absent, ignored, bins) -> None:
    logits, target = example(seed, shape, torch.float64, spread, absent, ignored)
    terms = {}
    for name, loss in LOSSES.items():
        value = loss(logits, target)
        grad = gradient(value, logits)
        assert value.isfinite() and grad.isfinite().all()
        assert (grad.masked_select((target == 255)[:, None]) == 0).all()
        assert grad.sum(1).abs().max() < 1e-9
        terms[name] = value.item()
    assert all(-1e-12 <= terms[name] <= 1 + 1e-12 for name in ("dice", "weighted_dice", "lovasz", "lovasz_exact"))
    assert 0 <= terms["focal"] <= terms["weighted_cross_entropy"] + 1e-12
    assert 0 <= terms["focal_gamma_half"] <= terms["cross_entropy"] + 1e-12
    binned = LovaszSoftmaxLoss(bins=bins)(logits, target).item()
    assert abs(binned - terms["lovasz_exact"]) <= 1 / (2 * bins) + 1e-12


# --- bad use -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("ignored", [False, True])
def test_logits_that_are_not_finite(loss: nn.Module, bad: float, ignored: bool) -> None:
    logits, target = example()
    with torch.no_grad():
        logits[1, 2, 3, 4] = bad
    target[1, 3, 4] = 255 if ignored else 0
    with pytest.raises(ValueError, match="logits must be finite"):
        loss(logits, target)


def test_logits_whose_sum_overflows_are_finite() -> None:
    value = CrossEntropyLoss()(torch.full((1, 4, 1, 1), 3e38), torch.zeros((1, 1, 1), dtype=torch.int64))
    assert value.item() == pytest.approx(math.log(4))


@pytest.mark.parametrize("label", [CLASSES, 254, 256, -1, -100])
def test_target_out_of_range(loss: nn.Module, label: int) -> None:
    logits, target = example()
    target[0, 0, 0] = label
    with pytest.raises(ValueError, match=r"target must hold 0\.\.4 or 255"):
        loss(logits, target)


@pytest.mark.parametrize(
    ("logits", "target", "argument"),
    [
        (torch.zeros(5, 3, 4), torch.zeros((3, 4), dtype=torch.int64), "logits"),
        (torch.zeros((1, 5, 3, 4), dtype=torch.int64), torch.zeros((1, 3, 4), dtype=torch.int64), "logits"),
        (torch.zeros(0, 5, 3, 4), torch.zeros((0, 3, 4), dtype=torch.int64), "logits"),
        (torch.zeros(1, 5, 0, 4), torch.zeros((1, 0, 4), dtype=torch.int64), "logits"),
        (torch.zeros(1, 5, 3, 4), torch.zeros((1, 4, 3), dtype=torch.int64), "target"),
        (torch.zeros(2, 5, 3, 4), torch.zeros((1, 3, 4), dtype=torch.int64), "target"),
        (torch.zeros(1, 5, 3, 4), torch.zeros((1, 1, 3, 4), dtype=torch.int64), "target"),
        (torch.zeros(1, 5, 3, 4), torch.zeros((1, 3, 4), dtype=torch.uint8), "target"),
        (torch.zeros(1, 5, 3, 4), torch.zeros((1, 3, 4)), "target"),
    ],
)
def test_wrong_shapes_and_types(loss: nn.Module, logits: Tensor, target: Tensor, argument: str) -> None:
    with pytest.raises(ValueError, match=f"^{argument} must be"):
        loss(logits, target)


@pytest.mark.parametrize(
    ("make", "name"),
    [(CrossEntropyLoss, "weights"), (DiceLoss, "weights"), (CombinedLoss, "weights"), (FocalLoss, "alpha")],
)
def test_bad_weights(make, name: str) -> None:
    for bad in ([1.0, -0.1], [1.0, math.nan], [1.0, math.inf], [0.0, 0.0], [[1.0, 2.0]], []):
        with pytest.raises(ValueError, match=f"^{name} must be"):
            make(**{name: torch.tensor(bad)})
    logits, target = example()
    with pytest.raises(ValueError, match=f"^{name} must have one entry a class, 5 .* got 3"):
        make(**{name: torch.ones(3)})(logits, target)


@pytest.mark.parametrize("name", ["gamma", "dice", "focal", "lovasz", "bins"])
@pytest.mark.parametrize("bad", [-1, -math.inf, math.nan])
def test_bad_coefficients(name: str, bad: float) -> None:
    with pytest.raises(ValueError, match=f"^{name} "):
        CombinedLoss(**{name: bad})


def test_no_term_at_all() -> None:
    with pytest.raises(ValueError, match="dice, focal, lovasz are all 0"):
        CombinedLoss(dice=0, focal=0, lovasz=0)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_gpu_agrees_and_never_waits(loss: nn.Module) -> None:
    logits, target = example(shape=(4, 32, 24), dtype=torch.float32)
    expected = loss(logits, target)
    expected_grad = gradient(expected, logits)
    cuda_loss, there, there_target = loss.cuda(), logits.detach().cuda().requires_grad_(), target.cuda()
    gradient(cuda_loss(there, there_target), there)  # warm up
    try:
        torch.cuda.set_sync_debug_mode("error")
        value = cuda_loss(there, there_target)
        grad = gradient(value, there)
    finally:
        torch.cuda.set_sync_debug_mode("default")
        loss.cpu()
    torch.testing.assert_close(value.cpu(), expected)
    torch.testing.assert_close(grad.cpu(), expected_grad, atol=1e-7, rtol=1e-3)
