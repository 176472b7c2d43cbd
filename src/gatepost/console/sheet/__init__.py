"""The tabs of a virtual server's property sheet."""
