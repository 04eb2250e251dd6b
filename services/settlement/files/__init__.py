"""One module a layout: it checks, writes, re-reads what it wrote, and reads any such file. Pure."""
