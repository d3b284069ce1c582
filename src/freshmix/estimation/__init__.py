"""From data to the same formulas: spectrum, signal and noise of a table (mathematics.md section 7).

Two phases: ``factorise`` costs one eigendecomposition of the smaller of X'X and XX'; everything after that works on
eigenvalues s and rotated responses c, in O(n) for each weight or penalty.
"""

from .banded import Estimate, banded
from .estimated import EstimatedPopulation, at_threshold, described, estimate, estimate_of
from .factorise import Factorisation, factorise, factorise_gram, factorise_products, weighted_rows
from .left_out import LeaveOneOut
from .misfit import Misfit
from .noise import NoiseEstimate
from .seen import Seen
from .sizes import unevenness
from .taught import TeacherEstimate, estimate_teacher

__all__ = [
    "Estimate",
    "EstimatedPopulation",
    "Factorisation",
    "LeaveOneOut",
    "Misfit",
    "NoiseEstimate",
    "Seen",
    "TeacherEstimate",
    "at_threshold",
    "banded",
    "described",
    "estimate",
    "estimate_of",
    "estimate_teacher",
    "factorise",
    "factorise_gram",
    "factorise_products",
    "unevenness",
    "weighted_rows",
]
