"""Other frameworks, each below a prefix of its own; all of them lend from the pools of one lifecycle."""
