"""Who earns, and with which card: dated rows, and what they say on a day. Pure."""
