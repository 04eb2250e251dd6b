"""A whole milepost on one machine: stack, generator, demo, bench.

The code ships with everything else; the programs that it runs come only with the `local` extra, and
are never in a production image.
"""
