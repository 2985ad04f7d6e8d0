"""A photo with its labels in colour, and a legend beside it."""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from modanet_utils.classes import LABELS
from modanet_utils.photo.network import Answer
from modanet_utils.plots import PALETTE

SIDES = (480, 1600)
"""Pixels of an overlay's longer side: smaller photos are enlarged, larger ones made smaller, to be looked at."""
STRENGTH = 0.6
"""How much of the colour is the label's."""


def overlay(photo: np.ndarray, answer: Answer) -> Image.Image:
    """A photo ``(H, W, 3) uint8`` with its labels over it; the legend names each with its share of the picture."""
    height, width = photo.shape[:2]
    scale = np.clip(max(height, width), *SIDES) / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    picture = cv2.resize(photo, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    labels = cv2.resize(answer.labels, size, interpolation=cv2.INTER_NEAREST)
    mixed = cv2.addWeighted(picture, 1 - STRENGTH, PALETTE[labels], STRENGTH, 0)
    picture = np.where((labels > 0)[..., None], mixed, picture)
    edge = cv2.morphologyEx(labels, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    picture[edge & (labels > 0)] = 255
    found = answer.classes
    font, line = ImageFont.load_default(16), 24
    sheet = Image.new("RGB", (size[0] + 210, max(size[1], line * (len(found) or 1) + 16)), "white")
    sheet.paste(Image.fromarray(picture))
    pen = ImageDraw.Draw(sheet)
    for row, (name, about) in enumerate(found.items()):
        share = f"{about['share']:.1%}" if about["share"] >= 0.001 else "below 0.1%"
        left, top, color = size[0] + 12, 8 + row * line, tuple(PALETTE[LABELS.index(name)].tolist())
        pen.rectangle((left, top + 2, left + 16, top + 18), fill=color, outline="#999999")
        pen.text((left + 26, top), f"{name} {share}", fill="black", font=font)
    if not found:
        pen.text((size[0] + 12, 8), "nothing was found", fill="black", font=font)
    return sheet
