"""Parts of tools/make_mini.py."""
