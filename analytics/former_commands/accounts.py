"""`python -m analytics.accounts` of earlier releases: use ``python -m analytics.access.accounts``."""

import sys

from analytics.access.accounts import main

if __name__ == "__main__":
    print("python -m analytics.accounts is now python -m analytics.access.accounts", file=sys.stderr)
    sys.exit(main())
