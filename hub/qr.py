"""QR codes for pages: dark on white with their quiet margin, whatever the page's colours are."""

import segno


def image(text: str) -> str:
    """The address (`data:`) of a picture of `text`."""
    address: str = segno.make(text, error="m", micro=False).svg_data_uri(scale=5, dark="black", light="white")
    return address
