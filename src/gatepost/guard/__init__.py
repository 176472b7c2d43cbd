"""The defence against guessing: what is counted, what follows from it, and the object that does both."""
