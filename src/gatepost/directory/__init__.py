"""Who someone is, and whose an address is: several directories asked in order."""
