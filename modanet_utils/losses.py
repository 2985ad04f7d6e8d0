"""Losses for segmentation with rare classes: cross-entropy, focal, Dice, Lovász-Softmax and their sum.

All take ``logits (N, C, H, W)`` (any floating dtype; computed in float32, or float64 for float64) and
``target (N, H, W) int64`` with 255 = ignore, and return a scalar. Notation used below: p is the softmax of
the logits over the classes, t the class of a pixel, V the set of pixels that are not ignored, T_c the number
of pixels of class c in V. Classes with T_c > 0 are *present*; V and T are pooled over the batch.

The terms share one softmax and one backward pass. Each term is a function that returns its value together
with its derivative; ``_SharedSoftmax`` turns the sum of the derivatives into the gradient of the logits.

>>> unsure, target = torch.zeros(1, 2, 1, 2), torch.tensor([[[0, 1]]])  # p is 1/2 everywhere
>>> [round(f()(unsure, target).item(), 3) for f in (CrossEntropyLoss, FocalLoss, DiceLoss, LovaszSoftmaxLoss)]
[0.693, 0.173, 0.5, 0.5]
>>> round(CombinedLoss(focal=2.0, lovasz=0.0)(unsure, target).item(), 3)
0.847
"""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from modanet_utils.classes import IGNORE

LOVASZ_BINS = 1024
"""Resolution of the errors in the combined loss's Lovász term, see ``LovaszSoftmaxLoss``."""


class _Loss(nn.Module):
    """Weighted sum of the terms whose coefficient is not 0; ``last_terms`` holds each, detached, by name."""

    weights_name = "weights"
    weights: Tensor | None

    def __init__(
        self, coefficients: dict[str, float], weights: Tensor | None = None, gamma: float = 0.0, bins: int | None = None
    ) -> None:
        super().__init__()
        for name, value in {**coefficients, "gamma": gamma}.items():
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} is {value}; give a finite number that is not negative.")
        if bins is not None and not bins >= 1:
            raise ValueError(f"bins is {bins}; give at least 1.")
        self.coefficients = {name: float(value) for name, value in coefficients.items() if value}
        if not self.coefficients:
            raise ValueError(f"{', '.join(coefficients)} are all 0; give at least one a positive value.")
        self.gamma = float(gamma)
        self.bins = bins
        self.last_terms: dict[str, Tensor] = {}
        self.register_buffer("weights", _checked_weights(self.weights_name, weights), persistent=False)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Scalar loss.

        logits: (N, C, H, W) floating, finite. target: (N, H, W) int64, classes 0..C-1 or 255, not modified.
        If every pixel is ignored, or has weight 0, the loss is 0 with zero gradient.
        Raises ValueError naming the argument; on CUDA the values are checked without waiting for the device,
        so a bad value shows as a RuntimeError of a later call.
        """
        _check_arguments(logits, target, self)
        loss, *terms = _SharedSoftmax.apply(logits, target, self)
        self.last_terms = dict(zip(self.coefficients, terms, strict=True))
        return loss


class CrossEntropyLoss(_Loss):
    """Cross-entropy, optionally weighted by class: sum_V w_t (-log p_t) / sum_V w_t; weights: None or (C,), >= 0.

    That of ``torch.nn.functional`` with ``ignore_index=255``, but 0 instead of NaN where every pixel is ignored.
    """

    def __init__(self, weights: Tensor | None = None) -> None:
        super().__init__({"cross_entropy": 1.0}, weights)


class FocalLoss(_Loss):
    """Softmax focal loss: sum_V alpha_t (1 - p_t)^gamma (-log p_t) / sum_V alpha_t.

    gamma >= 0; alpha: None or (C,), not negative. p_t comes from the unweighted softmax, so gamma = 0 is the
    weighted cross-entropy. Source: Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, with the
    softmax in place of the sigmoid.
    """

    weights_name = "alpha"

    def __init__(self, gamma: float = 2.0, alpha: Tensor | None = None) -> None:
        super().__init__({"focal": 1.0}, alpha, gamma)


class DiceLoss(_Loss):
    """Soft Dice over the present classes: 1 - sum_c w_c dice_c / sum_c w_c.

    dice_c = 2 sum_V p_c [t = c] / (sum_V p_c + T_c). weights: None or (C,), not negative.
    Source: Milletari et al., V-Net, 3DV 2016 (without the squares); Sudre et al. 2017 for the weights.
    """

    def __init__(self, weights: Tensor | None = None) -> None:
        super().__init__({"dice": 1.0}, weights)


class LovaszSoftmaxLoss(_Loss):
    """Lovász-Softmax: mean over the present classes of the Lovász extension of the Jaccard loss.

    The error of a pixel for class c is e = 1 - p_c if t = c, else p_c. With F(s) and B(s) the numbers of
    pixels of class c, and of other classes, whose error exceeds s, the extension is
    integral_0^1 J(s) ds, J = (F + B) / (T_c + B). Source: Berman et al., The Lovász-Softmax loss, CVPR 2018.

    bins=None sorts the errors. With a number, which is far faster, each error is rounded to the nearest
    multiple of 1 / bins, and F and B are read from a histogram. That gives the Lovász extension, and one of
    its subgradients (the mean of two orders of the pixels that are now tied), at errors moved by at most
    d = 1 / (2 bins). The extension is convex, and its gradient is not negative and sums to 1. Hence, for one
    class and for the mean of all:

    - the value is off by at most d;
    - the gradient g in the errors is a 2d-subgradient: L(e') >= L(e) + g (e' - e) - 2 d for every e';
    - a pixel's entry of g lies where sorting puts it for some order of the pixels of its bin: in the class
      within [1 / U1, 1 / U0], outside within [(T - F1) / (U1 (U1 - 1)), (T - F0) / (U0 (U0 + 1))], with F0
      and U0 the values of F and T + B above the bin, F1 and U1 those with it; in the mean of all classes,
      these divided by the number of present ones. One pixel a bin is exact.
    """

    def __init__(self, bins: int | None = None) -> None:
        super().__init__({"lovasz": 1.0}, bins=bins)


class CombinedLoss(_Loss):
    """dice * DiceLoss(weights) + focal * FocalLoss(gamma, alpha=weights) + lovasz * LovaszSoftmaxLoss(bins).

    A term with coefficient 0 is not computed. After a call ``last_terms`` holds "dice", "focal" and "lovasz",
    each without its coefficient. bins: as for LovaszSoftmaxLoss; None sorts.
    """

    def __init__(
        self,
        weights: Tensor | None = None,
        gamma: float = 2.0,
        dice: float = 1.0,
        focal: float = 1.0,
        lovasz: float = 1.0,
        bins: int | None = LOVASZ_BINS,
    ) -> None:
        coefficients = {"dice": dice, "focal": focal, "lovasz": lovasz}
        super().__init__(coefficients, weights, gamma, bins)


class WithAbsent(nn.Module):
    """A loss plus a coefficient times the mean of log(1 + a / s) over every photo and class that is absent from it.

    a is the share of the photo's pixels that go to the class: sum_V p_c / |V|, V the photo's own pixels; s, the share
    from which a class counts as seen, sets the scale. Background, class 0, is never absent. ``last_terms`` of the loss
    gets "absent", without the coefficient.
    """

    def __init__(self, loss: _Loss, coefficient: float, seen: float) -> None:
        super().__init__()
        self.loss, self.coefficient, self.seen = loss, coefficient, seen
        self.last_terms: dict[str, Tensor] = {}

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """As the loss's own, which has the errors."""
        value = self.loss(logits, target)
        valid = (target != IGNORE)[:, None]
        p = logits.to(torch.promote_types(logits.dtype, torch.float32)).softmax(1)
        area = (p * valid).sum((2, 3)) / _or_one(valid.sum((2, 3)))
        there = torch.zeros((len(area), area.shape[1] + 1), dtype=torch.bool, device=area.device)  # the last: ignored
        there.scatter_(1, torch.where(valid[:, 0], target, area.shape[1]).flatten(1), True)
        absent = ~there[:, :-1]
        absent[:, 0] = False
        extra = (torch.log1p(area / self.seen) * absent).sum() / _or_one(absent.sum())
        self.last_terms = self.loss.last_terms | {"absent": extra.detach()}
        return value + self.coefficient * extra


class _Batch(NamedTuple):
    """What the terms share. At ignored pixels t, p, pt and log_pt are 0."""

    t: Tensor  # (N, H, W) int64: class of each pixel
    valid: Tensor  # (N, H, W): 1, or 0 where ignored
    p: Tensor  # (N, C, H, W): softmax
    pt: Tensor  # (N, H, W): probability of the class of each pixel
    log_pt: Tensor  # (N, H, W): its logarithm, exact where pt underflows
    counts: Tensor  # (C,): pixels of each class


def _batch(logits: Tensor, target: Tensor) -> _Batch:
    is_valid = target != IGNORE
    t = torch.where(is_valid, target, 0)
    p = logits.to(torch.promote_types(logits.dtype, torch.float32)).contiguous().log_softmax(1)
    log_pt = torch.where(is_valid, _at_class(p, t), 0)
    valid = is_valid.to(p.dtype)
    # p = 0 takes ignored pixels out of every sum and, through the softmax, out of the gradient.
    p.exp_().mul_(valid[:, None])
    return _Batch(t, valid, p, _at_class(p, t), log_pt, _sum_by_class(valid, t, p.shape[1]))


class _SharedSoftmax(torch.autograd.Function):
    """Value of the weighted sum of the terms, and the gradient of the logits from the terms' derivatives.

    A derivative comes as up to three parts. ``pull`` q (N, H, W) is taken in the logits: q (p - [t = c]).
    The others are taken in the probabilities: ``every`` for all classes, as numbers (1, C, 1), as a table by
    bin of p (1, C, bins + 1), or written out (N, C, H W); and ``extra`` (N, H, W), added at the true class.
    Their sum g enters the logits through the softmax: p_c (g_c - sum_k p_k g_k).
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, target: Tensor, loss: _Loss) -> tuple[Tensor, ...]:
        batch = _batch(logits, target)
        weights = torch.ones_like(batch.counts) if loss.weights is None else loss.weights.to(batch.counts)
        values, pull, every, extra = [], torch.zeros_like(batch.valid), None, None
        for name, coefficient in loss.coefficients.items():
            if name in ("focal", "cross_entropy"):
                value, pull = _focal(batch, weights, loss.gamma)
                pull = pull * coefficient
            else:
                value, *parts = _dice(batch, weights) if name == "dice" else _lovasz(batch, loss.bins)
                every = parts[0] * coefficient + (0 if every is None else every)
                extra = parts[1] * coefficient + (0 if extra is None else extra)
            values.append(value)
        ctx.save_for_backward(batch.p, batch.t, pull, every, extra)
        ctx.dtype, ctx.bins = logits.dtype, loss.bins if "lovasz" in loss.coefficients else None
        ctx.mark_non_differentiable(*values)
        total: Any = sum(c * v for c, v in zip(loss.coefficients.values(), values, strict=True))
        return total, *values

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, scale: Tensor, *_: Tensor) -> tuple[Tensor, None, None]:
        p, t, pull, every, extra = ctx.saved_tensors
        grad, pull = torch.empty_like(p), pull * scale
        lift = -pull
        if every is not None:
            every, extra = (every * scale).expand(len(p), -1, -1), extra * scale
        for part in _parts(p):
            g = grad[part]
            if every is None:
                g.zero_()
            else:
                if ctx.bins is None:
                    g.flatten(2).copy_(every[part])
                else:
                    torch.gather(every[part], 2, _keys(p[part], ctx.bins).flatten(2), out=g.flatten(2))
                g.scatter_add_(1, t[part, None], extra[part, None])
                lift[part] += (p[part] * g).sum(1)
            g.sub_(lift[part, None]).mul_(p[part])
        grad.scatter_add_(1, t[:, None], -pull[:, None])
        return grad.to(ctx.dtype), None, None


def _focal(batch: _Batch, alpha: Tensor, gamma: float) -> tuple[Tensor, Tensor]:
    """Value and pull of the focal loss: -dL/d(log p_t), since d(log p_t)/d(logit c) = [t = c] - p_c."""
    share = alpha.take(batch.t) * batch.valid / _or_one((alpha * batch.counts).sum())
    if gamma == 0:
        return -(share * batch.log_pt).sum(), share
    # Not 0, where a power below 1 has no derivative; there log_pt is 0, so nothing else changes.
    miss = (1 - batch.pt).clamp_min(torch.finfo(batch.pt.dtype).tiny)
    focus = share * miss**gamma
    slope = gamma * share * miss ** (gamma - 1) * batch.pt
    return -(focus * batch.log_pt).sum(), focus - slope * batch.log_pt


def _dice(batch: _Batch, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Value, every (1, C, 1) and extra (N, H, W) of the Dice loss."""
    share = weights * (batch.counts > 0)
    share = share / _or_one(share.sum())
    size = _or_one(batch.p.sum((0, 2, 3)) + batch.counts)
    dice = 2 * _sum_by_class(batch.pt, batch.t, len(size)) / size
    every, extra = share * dice / size, -2 * share / size
    return (share * (1 - dice)).sum(), every[None, :, None], extra.take(batch.t)


def _lovasz(batch: _Batch, bins: int | None) -> tuple[Tensor, Tensor, Tensor]:
    return _lovasz_exact(batch) if bins is None else _lovasz_binned(batch, bins)


def _lovasz_exact(batch: _Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Value, every (N, C, H W) and extra (zeros) of the Lovász-Softmax loss, by sorting."""
    every, values = torch.zeros_like(batch.p), []
    for c, share in enumerate(_present_share(batch.counts)):
        inside = (batch.t == c) * batch.valid
        outside = batch.valid - inside
        errors, order = (inside - batch.p[:, c]).abs().flatten().sort(descending=True)
        found, missed = (mask.flatten()[order].cumsum(0) for mask in (inside, outside))
        # The differences of the Jaccard index in closed form: subtracted in float32, little would be left of them.
        union = _or_one(batch.counts[c] + missed)
        inner = inside.flatten()[order]
        step = share * torch.where(inner > 0, 1 / union, (batch.counts[c] - found) / (union * _or_one(union - 1)))
        step = step * batch.valid.flatten()[order]
        values.append((step * errors).sum())
        every[:, c] = torch.empty_like(step).scatter_(0, order, step).view_as(inside) * (outside - inside)
    return torch.stack(values).sum(), every.flatten(2), torch.zeros_like(batch.valid)


def _lovasz_binned(batch: _Batch, bins: int) -> tuple[Tensor, Tensor, Tensor]:
    """Value, every (1, C, bins + 1) and extra (N, H, W) of the Lovász-Softmax loss, from histograms."""
    inside, outside = _error_histograms(batch, bins)

    def above(histogram: Tensor) -> Tensor:
        return (histogram.sum(1, keepdim=True) - histogram.cumsum(1)).to(batch.p.dtype)

    share, total = _present_share(batch.counts)[:, None], batch.counts[:, None]
    union = _or_one(total + above(outside))
    union_with_bin = _or_one(union + outside)
    step_in = share * (1 / union + 1 / union_with_bin) / 2
    step_out = share * (total - above(inside) - inside / 2) / (union * union_with_bin)
    error = torch.arange(bins + 1, dtype=total.dtype, device=total.device) / bins
    value = (error * (inside * step_in + outside * step_out)).sum()
    row, key = batch.t * (bins + 1), _keys(batch.pt, bins)
    return value, step_out[None], -step_in.take(row + bins - key) - step_out.take(row + key)


def _error_histograms(batch: _Batch, bins: int) -> tuple[Tensor, Tensor]:
    """(C, bins + 1) int64 twice: pixels of each class, and of the others, by their error's bin."""
    shape, device = (batch.p.shape[1], bins + 1), batch.p.device
    everywhere = torch.zeros(shape, dtype=torch.int64, device=device)
    one = torch.ones((), dtype=torch.int32, device=device)
    for part in _parts(batch.p):
        keys = _keys(batch.p[part], bins).flatten(2)
        histogram = torch.zeros((len(keys), *shape), dtype=torch.int32, device=device)
        everywhere += histogram.scatter_add_(2, keys, one.expand_as(keys)).sum(0)
    own = torch.zeros(everywhere.numel(), dtype=torch.int64, device=device)
    own.scatter_add_(0, (batch.t * shape[1] + _keys(batch.pt, bins)).flatten(), batch.valid.flatten().long())
    outside = everywhere - own.view(shape)
    outside[:, 0] -= (1 - batch.valid).sum().long()  # ignored pixels: p is 0
    return own.view(shape).flip(1), outside  # in the class the error is 1 - p


def _keys(p: Tensor, bins: int) -> Tensor:
    """Like p, int64: its bin, round(p bins)."""
    return torch.add(p.new_full((), 0.5), p, alpha=bins).long()


def _parts(p: Tensor) -> list[slice]:
    """One image at a time on a CPU, which then reuses memory instead of asking for fresh pages; else all."""
    step = 1 if p.device.type == "cpu" else len(p)
    return [slice(first, first + step) for first in range(0, len(p), step)]


def _at_class(values: Tensor, t: Tensor) -> Tensor:
    """(N, H, W): of values (N, C, H, W), the entry of each pixel's class."""
    return values.gather(1, t[:, None])[:, 0]


def _sum_by_class(values: Tensor, t: Tensor, classes: int) -> Tensor:
    """(C,): sums of values (N, H, W) over the pixels of each class; row by row first, as float32 is short."""
    rows = values.new_zeros((*t.shape[:2], classes))
    return rows.scatter_add_(2, t, values).sum((0, 1))


def _present_share(counts: Tensor) -> Tensor:
    """(C,): 1 / number of present classes where present, else 0."""
    present = (counts > 0).to(counts.dtype)
    return present / _or_one(present.sum())


def _or_one(denominator: Tensor) -> Tensor:
    """1 instead of 0: where nothing is summed, the numerator is 0 as well."""
    return torch.where(denominator > 0, denominator, 1)


def _checked_weights(name: str, weights: Tensor | None) -> Tensor | None:
    if weights is None:
        return None
    weights = torch.as_tensor(weights, dtype=torch.float32).detach().clone()
    if weights.ndim != 1 or not torch.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise ValueError(
            f"{name} must be None or one finite number a class, none negative and not all 0; got {weights}."
        )
    return weights


def _check_arguments(logits: Tensor, target: Tensor, loss: _Loss) -> None:
    if logits.ndim != 4 or not logits.is_floating_point() or logits.numel() == 0:
        shape = tuple(logits.shape)
        raise ValueError(f"logits must be floating (N, C, H, W) and not empty; got {logits.dtype} {shape}.")
    images, classes, height, width = logits.shape
    if target.dtype != torch.int64 or target.shape != (images, height, width):
        raise ValueError(
            f"target must be int64 {(images, height, width)}, as logits are {tuple(logits.shape)}; "
            f"got {target.dtype} {tuple(target.shape)}."
        )
    if loss.weights is not None and len(loss.weights) != classes:
        name, length = loss.weights_name, len(loss.weights)
        raise ValueError(f"{name} must have one entry a class, {classes} as logits have; got {length}.")
    known = ((target >= 0) & (target < classes)) | (target == IGNORE)
    _require(known.all(), f"target must hold 0..{classes - 1} or {IGNORE} only; got another label.")
    values = logits.detach()
    # Quick look: a finite sum has finite terms. Sums may overflow, so only the long look condemns.
    total = values.sum(dtype=torch.promote_types(values.dtype, torch.float32))
    if total.device.type in _NEVER_READ or not total.isfinite():
        _require(values.isfinite().all(), "logits must be finite; got NaN or infinite values.")


_NEVER_READ = ("cuda", "meta")
"""Devices whose tensors no step reads: on the first it would wait, on the second there is nothing to read."""


def _require(condition: Tensor, message: str) -> None:
    """Raise ValueError; on CUDA the device checks, because waiting for it would stall every step."""
    if condition.device.type in _NEVER_READ:
        torch._assert_async(condition, message)
    elif not condition:
        raise ValueError(message)
