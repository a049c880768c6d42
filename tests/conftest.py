"""What every test may use, and what is said at the end of a run."""

pytest_plugins = ["desk.browsing", "reporting", "world"]
