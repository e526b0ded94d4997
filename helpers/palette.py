"""The colours of the workshop by their names. Standard library only.

They are the palette by Okabe and Ito, which colour-blind readers can tell apart, and what goes with it.
"""

BLUE, RED, GREEN, ORANGE, PINK, SKY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9"
BROWN = "#8a5a00"  # a dark ORANGE, between it and RED
GREY, DARK_GREY, LIGHT_GREY = "#777777", "#444444", "#eeeeee"

# Below black text.
BLUE_TINT, RED_TINT, ORANGE_TINT = "#bfe0f5", "#f6c9ad", "#fbe6a2"

# Below white text, as in the pictures of the lessons: the parts of a system by what they are.
PARTS = {"bucket": "#0072B2", "queue": "#6B4E9B", "function": "#B85300", "table": "#3B7D23"}
