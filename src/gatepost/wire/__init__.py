"""What mail protocols have in common on the wire: lines, dots, SASL. Pure: bytes in, values out."""
