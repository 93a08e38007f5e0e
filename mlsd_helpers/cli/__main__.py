"""`python -m mlsd_helpers.cli` is `mlsd`."""

import sys

from mlsd_helpers.cli import main

sys.exit(main())
