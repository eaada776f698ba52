"""Nothing: the environment is there when this runs."""
