"""`python -m manysense` is the command `manysense`."""

from .cli.app import main

if __name__ == "__main__":
    main()
