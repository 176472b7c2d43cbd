"""The dialogs of a virtual server's Access tab."""
