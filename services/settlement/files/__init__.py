"""One file a layout: it checks before it writes, re-reads what it wrote, and reads any such file."""
