"""What Exchange and the SMTP service of IIS exported, made into a configuration file of ours."""
