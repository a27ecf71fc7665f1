"""What is measured: a module a section, each with a function `groups`."""
