"""What the program runs on: embedded back ends, the supervisor of `torii up`, and the making of `.venv`."""
