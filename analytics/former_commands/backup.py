"""`python -m analytics.backup` of earlier releases: use ``python -m analytics.store.backup``."""

import sys

from analytics.store.backup import main

if __name__ == "__main__":
    print("python -m analytics.backup is now python -m analytics.store.backup", file=sys.stderr)
    sys.exit(main())
