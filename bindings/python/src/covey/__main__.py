"""`python -m covey` is the command `covey`."""

from .command import main

main()
