"""The terminal face of `admin`: reads words, calls one function, prints what it gives."""
