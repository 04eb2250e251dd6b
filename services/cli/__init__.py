"""`milepost`: one file per command group. Commands call `bootstrap` functions and print."""
