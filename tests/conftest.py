"""What every test may use, and what is said at the end of a run."""

pytest_plugins = ["adapters", "desk.browsing", "reporting", "world"]
