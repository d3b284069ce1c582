from .estimation import EstimatedPopulation as EstimatedPopulation
from .estimation import estimate as estimate
from .estimation import estimate_teacher as estimate_teacher
from .estimators import (
    FoundWeight as FoundWeight,
)
from .estimators import (
    MixedKernelRidge as MixedKernelRidge,
)
from .estimators import (
    MixedRidge as MixedRidge,
)
from .estimators import (
    find_weight as find_weight,
)
from .loop import Group as Group
from .loop import Loop as Loop
from .optima import (
    Memory as Memory,
)
from .optima import (
    Optimum as Optimum,
)
from .optima import (
    Teaching as Teaching,
)
from .optima import (
    collapse_boundary as collapse_boundary,
)
from .optima import (
    labels_needed as labels_needed,
)
from .optima import (
    optimal_loop as optimal_loop,
)
from .optima import (
    optimal_memory as optimal_memory,
)
from .optima import (
    optimal_schedule as optimal_schedule,
)
from .optima import (
    optimal_teaching as optimal_teaching,
)
from .optima import (
    optimal_weight as optimal_weight,
)
from .optima import (
    self_distillation as self_distillation,
)
from .plans import Plan as Plan
from .plans import plan as plan
from .population import Population as Population
from .recommendation import Recommendation as Recommendation
from .recommendation import TeacherLabels as TeacherLabels
from .recommendation import recommend as recommend
from .replays import replay as replay
from .risks import Limit as Limit
from .risks import limit as limit
from .risks import risk as risk
from .risks.surface import limit_surface as limit_surface
from .simulation import mean_and_error as mean_and_error
from .simulation import simulate as simulate
from .sweeps import sweep as sweep
from .teacher import Teacher as Teacher
from .watch import Watch as Watch

__version__: str
