"""Colours and names that all pictures share, whatever draws them."""

from ..words import pictures as words

# Okabe and Ito's palette: told apart with any kind of colour vision, and legible on white as on near-black.
BLUE, VERMILLION, GREEN, PURPLE, ORANGE, GREY = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#80868e"
# Text and frames. A shade that nothing else has, so that a page can put its own text colour in its place.
INK = "#1a1a1b"

# Curves that no name of a way of training tells apart.
COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, GREY)

# Ways of training have the same name and colour in all pictures.
_OF_WAYS = (VERMILLION, GREEN, ORANGE, PURPLE, GREY)
RIVALS = {way: (name, colour) for (way, name), colour in zip(words.WAYS.items(), _OF_WAYS, strict=True)}

GOLDEN_WEIGHT = (5**0.5 - 1) / 2
