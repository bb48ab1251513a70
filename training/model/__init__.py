"""The network, and the directory and archive that a trained model is stored in.

`config` and `archive` work without torch.
"""
