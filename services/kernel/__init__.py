"""The words that every room shares. Pure: standard library only, no I/O, no clock."""
