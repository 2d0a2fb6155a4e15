"""Documents into text: one reader a format, run in processes of their own that a hostile file cannot escape."""
