from .dataset import mean_and_error as mean_and_error
from .finite_samples import one_replicate as one_replicate
from .finite_samples import simulate as simulate
from .inputs import prepared as prepared
from .registry import ENGINES as ENGINES
from .registry import WORKFLOWS as WORKFLOWS
