import sys

from modanet_utils.training.start import main

sys.exit(main())
