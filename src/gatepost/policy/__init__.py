"""What Gatepost decides. Pure: facts in, verdicts out."""
