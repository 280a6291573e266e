"""The command line: thin commands over app.py."""


def main() -> None:
    """Run the command line."""
