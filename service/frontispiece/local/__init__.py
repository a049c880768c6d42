"""The local generator's other half: a server on this machine whose child process keeps a Flux model warm.

Only `pipelines`, `drawing` and `controls` import torch, and only the child imports them.
"""
