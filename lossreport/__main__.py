"""Runs the command as `python -m lossreport`."""

from lossreport.cli import main

if __name__ == "__main__":
    main()
