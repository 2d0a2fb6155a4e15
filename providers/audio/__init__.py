"""Recordings: what a file is by its content, and the sound in it, decoded a little at a time."""
