"""The SMTP language (RFC 5321), both sides, without I/O. Pure: bytes in, events out.

`state` is the law; `command` and `reply` are the words; `server` and `client` speak them.
"""
