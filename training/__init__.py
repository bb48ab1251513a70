"""Training a model: pairs, tokenizer, corpus, network, loop. What every folder uses stands flat.

It imports no other folder.
"""
