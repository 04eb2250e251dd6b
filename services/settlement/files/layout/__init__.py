"""Files by declaration: a YAML page of `schemas/files` says a layout, two functions obey it. Pure.

`page` is the model, `declared` reads a page, `codec` is one field, `framing` bytes and records,
`writer` and `reader` a file.
"""
