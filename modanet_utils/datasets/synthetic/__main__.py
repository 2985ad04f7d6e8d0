import sys

from modanet_utils.datasets.synthetic.drawn import main

sys.exit(main())
