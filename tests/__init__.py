"""milepost's tests: `unit` needs nothing; `integration` and `simulation` run on a real stack."""
