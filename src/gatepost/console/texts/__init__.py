"""Every word the console says, in one place, ready to be translated: a module for each part of it."""
