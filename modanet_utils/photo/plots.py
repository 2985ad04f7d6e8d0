"""A photo with its labels in colour, and a legend beside it."""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from modanet_utils.classes import LABELS
from modanet_utils.photo.network import Answer
from modanet_utils.plots import PALETTE

SIDES = (480, 1600)
"""Pixels of an overlay's longer side: smaller photos are enlarged, larger ones made smaller, to be looked at."""


def painted(photo: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """A photo ``(H, W, 3) uint8`` with the colours of labels ``(H, W) uint8`` over it, in a size to be looked at."""
    scale = np.clip(max(photo.shape[:2]), *SIDES) / max(photo.shape[:2])
    size = [max(1, round(side * scale)) for side in photo.shape[1::-1]]
    picture = cv2.resize(photo, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    labels = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
    found, edge = labels > 0, cv2.morphologyEx(labels, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    picture = np.where(found[..., None], cv2.addWeighted(picture, 0.4, PALETTE[labels], 0.6, 0), picture)
    picture[edge & found] = 255
    return picture


def overlay(answer: Answer) -> Image.Image:
    """What was looked at as `painted`, with a legend that names each label with its share of the picture."""
    picture = painted(answer.photo, answer.labels)
    rows = [(name, about["share"] or 0) for name, about in answer.classes.items()] or [("nothing was found", 0)]
    sheet = Image.new("RGB", (picture.shape[1] + 240, max(len(picture), 24 * len(rows) + 16)), "white")
    sheet.paste(Image.fromarray(picture))
    pen, left = ImageDraw.Draw(sheet), picture.shape[1] + 12
    for row, (name, share) in enumerate(rows):
        top = 8 + 24 * row
        if share:
            color = tuple(PALETTE[LABELS.index(name)].tolist())
            pen.rectangle((left, top + 2, left + 16, top + 18), fill=color, outline="#999999")
            name += f" {share:.1%}" if share >= 0.001 else " below 0.1%"
        pen.text((left + 26, top), name, fill="black", font=ImageFont.load_default(16))
    return sheet
