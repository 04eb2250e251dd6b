"""Files by declaration: a YAML page of `schemas/files` says a layout, two functions obey it. Pure.

`page` is the model, `codec` one field, `framing` bytes and records, `writer` and `reader` a file.
"""
