"""The demo's two banks: who their cardholders are, what they buy, and everything that goes wrong.

A seed decides all of it: the same seed and size give the same bytes on every machine, in every
locale and time zone. Nothing here reads a clock.
"""
