"""The loop on real rows: the check of the theory and the backtest in time order."""
