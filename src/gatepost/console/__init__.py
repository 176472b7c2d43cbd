"""The web face of `admin`: the API and the console, in a process of their own."""
