"""What a message is: addresses, envelope, header, outcome, report. Pure: no I/O, no clock."""
