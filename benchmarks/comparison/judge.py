"""The exact long run of a mixed loop of ridge regression on given rows, from the eigendecomposition of their Gram matrix."""

import numpy as np


class LongRun:
    """Prediction error of the loop's limit at new points, expected over all label noise (kernel or linear).

    In an eigenvector of K/n, with q = s/(s + penalty) and m = (1 - w) q, the mean of the labels that each generation is fitted
    to settles at w f/(1 - m), and their variance at (w^2 + (1 - w)^2) sigma^2 / (1 - m^2).
    """

    def __init__(self, gram, across, signal, target, noise_variance):
        self.n = len(gram)
        self.s, U = np.linalg.eigh(gram / self.n)
        self.s = np.maximum(self.s, 0)
        self.f, self.across, self.target = U.T @ signal, across @ U / self.n, target
        self.noise_variance = noise_variance

    def error(self, w, penalty):
        """At a real weight in (0, 1] and a positive penalty."""
        q = self.s / (self.s + penalty)
        m = (1 - w) * q
        mean = self.across @ (w * self.f / (1 - m) / (self.s + penalty))
        spread = (w**2 + (1 - w) ** 2) * self.noise_variance / (1 - m**2) / (self.s + penalty) ** 2
        return np.mean((mean - self.target) ** 2) + np.mean(self.across**2 @ spread) + self.noise_variance

    def best(self):
        """The least error on a fine grid."""
        return min(self.error(w, z) for w in np.linspace(0.3, 1, 71) for z in np.geomspace(1e-6, 1e2, 161))
