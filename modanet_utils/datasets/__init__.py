"""The one on-disk format, its reader, and one module per source that produces it.

A dataset is a folder with ``annotations.json`` (COCO; categories 1-13 as ModaNet numbers them, and
optionally ``hair`` and ``skin``) and ``images/``. The sources are ``synthetic``, ``ccp``, ``modanet``.
"""

from modanet_utils.datasets.coco import Dataset, DatasetError, Thing, class_pixels, open_dataset, with_masks

__all__ = ["Dataset", "DatasetError", "Thing", "class_pixels", "open_dataset", "with_masks"]
