"""What rare, small, found and accurate mean: fixed before any training, in one place."""

RARE_SHARE = 0.005
"""A class is called rare below this share of all training pixels."""
REFERENCE: tuple[int, int] = (288, 192)
"""Height and width to which object sizes are scaled, so that data sets of other resolutions compare."""
SMALL = 256
"""A class is small if its median object has fewer pixels than this, a 16x16 square, in `REFERENCE`."""
SMALL_SHARE: float = SMALL / (REFERENCE[0] * REFERENCE[1])
"""A segment is small below this share of the picture: the size that the report calls small everywhere."""
INFREQUENT = 0.15
"""A class is infrequent if less than this share of the images shows it."""
FEW_PHOTOS, FEW_OF_CLASS = 30, 5
"""Test photos, and test photos of a class, below which a number stands with how few they are."""
FOUND = 0.01
"""IoU below which a class counts as not found."""
LITTLE = 0.1
"""IoU below which a class counts as little found, and the fall of an IoU that is spoken of."""
FOUND_SHARE = 0.1
"""Share of an image's headwear that must be found for the headwear not to count as missed entirely."""
ALARM_SHARE = 0.0005
"""Share of a picture that predicted headwear must cover to be an alarm: some 200 pixels of a 825x550 photo,
less than any hat."""
ACCURATE = 0.5
"""IoU above which a class, or an image, counts as segmented accurately: the customary bar for a match."""
SHIFT = 2
"""How far an outline may be off, in pixels, before an error is more than an uncertain edge."""
WIDTH = 2
"""Thickness of the band in boundary IoU, in pixels of the photo."""
PERSON: tuple[float, float] = (0.05, 0.5)
"""Share of a picture that clothing covers if one whole person is on it: 0.09 to 0.27 on CCP's photos."""
SECOND_FIGURE = 0.25
"""Second largest connected figure over the largest from which there may be several people; 0.12 at most with one."""
CUT_OFF: tuple[float, float] = (0.02, 0.08)
"""Share of a picture's height at an edge, and of a figure's width there if it is cut off: 3 of 251 whole photos do."""
UPRIGHT, UPRIGHT_MORE = 1.3, 1.1
"""Height over width of what was found below which a person may be lying, and how many times as much, weighted by its
probability, is then to be found in the picture when it is turned."""
SURE = 0.5
"""Mean probability of what was found below which a network is unsure: 99 of 100 photos like its own lie above."""
DOUBTFUL = 0.6
"""Mean probability below which a label is named: on 63 validation photos 77 of 100 such are mostly wrong, else 22."""
