"""`python -m frontispiece` is the command `frontispiece`."""

from frontispiece.cli import main

main()
