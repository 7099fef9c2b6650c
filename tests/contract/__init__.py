"""The sandbox as an independent client sees it: the official SDK over real HTTP."""
