"""`python -m gatepost` is `gatepost`."""

from gatepost.cli.main import main

main()
