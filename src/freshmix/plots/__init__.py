"""Results -> figures: values in, figures out. No risk is computed here, and no global state is kept."""

from .check import check_picture
from .compare import compare
from .generations import risk_by_generation
from .phase import phase_diagram
from .plan import plan_picture
from .recommendation import all_pictures, both, generation_picture, weight_picture
from .style import BLUE, GOLDEN_WEIGHT, GREEN, GREY, INK, ORANGE, PURPLE, VERMILLION
from .surface import risk_surface
from .ways import ways_picture
from .weight import risk_by_weight

__all__ = [
    "BLUE",
    "GOLDEN_WEIGHT",
    "GREEN",
    "GREY",
    "INK",
    "ORANGE",
    "PURPLE",
    "VERMILLION",
    "all_pictures",
    "both",
    "check_picture",
    "compare",
    "generation_picture",
    "phase_diagram",
    "plan_picture",
    "risk_by_generation",
    "risk_by_weight",
    "risk_surface",
    "ways_picture",
    "weight_picture",
]
