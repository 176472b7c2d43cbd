"""What POP3 is: the server's side of the language, without any I/O."""
