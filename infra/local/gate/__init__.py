"""Gate before all requests: the hosts, origins, access keys and signatures that are accepted.

It may import `control`, and knows nothing of moto: the server hands it the keys that were issued.
"""
